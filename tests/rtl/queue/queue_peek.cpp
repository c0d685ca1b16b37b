// SPDX-License-Identifier: Apache-2.0
// Looks into the device's buffers; needs a model that was Verilated with peek.vlt.
#include <Veph_top.h>
#include <Veph_top___024root.h>

#include "queue_rig.h"

namespace eph
{
namespace
{

template <class T> bool all_zero(const T &object)
{
    const auto *bytes = reinterpret_cast<const uint8_t *>(&object);
    for (size_t i = 0; i < sizeof object; i++)
        if (bytes[i])
            return false;
    return true;
}

} // namespace

std::string QueueRig::left_in_buffers() const
{
    const auto *root = top_->rootp;
    if (!all_zero(root->eph_top__DOT__u_fetch__DOT__u_buffer__DOT__mem))
        return "the fetch buffer";
    if (!all_zero(root->eph_top__DOT__u_cq_write__DOT__u_buffer__DOT__mem))
        return "the completion buffer";
    if (!all_zero(root->eph_top__DOT__u_cq_write__DOT__gather_q))
        return "the gather register";
    return "";
}

} // namespace eph
