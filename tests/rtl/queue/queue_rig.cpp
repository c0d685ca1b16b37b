// SPDX-License-Identifier: Apache-2.0
#include "queue_rig.h"

#include <Veph_top.h>
#include <cstdarg>
#include <cstring>
#include <ephemera/wire.h>

namespace eph
{
namespace
{

constexpr unsigned kBusBytes = EPH_BENCH_DATA_BITS / 8;
constexpr unsigned kEntryBeats = EPH_ENTRY_BYTES / kBusBytes;

[[maybe_unused]] void to_bus(QData &bus, const uint8_t *bytes)
{
    memcpy(&bus, bytes, 8);
}
[[maybe_unused]] void from_bus(uint8_t *bytes, const QData &bus)
{
    memcpy(bytes, &bus, 8);
}
template <std::size_t N> void to_bus(VlWide<N> &bus, const uint8_t *bytes)
{
    memcpy(bus.data(), bytes, 4 * N);
}
template <std::size_t N> void from_bus(uint8_t *bytes, const VlWide<N> &bus)
{
    memcpy(bytes, bus.data(), 4 * N);
}

} // namespace

void fail(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    throw Failure(text);
}

QueueRig::QueueRig(uint32_t seed)
    : top_(new Veph_top), memory_(kRegions * kRegionBytes), random_state_(seed * 2654435761u | 1)
{
    hard_reset();
}
QueueRig::~QueueRig() = default;

uint32_t QueueRig::random() // xorshift32
{
    random_state_ ^= random_state_ << 13;
    random_state_ ^= random_state_ >> 17;
    random_state_ ^= random_state_ << 5;
    return random_state_;
}

uint8_t *QueueRig::memory(uint64_t address, uint64_t bytes)
{
    EPH_CHECK(address >= kMemoryBase && address - kMemoryBase + bytes <= memory_.size(), "address %llx outside memory",
              (unsigned long long)address);
    return memory_.data() + (address - kMemoryBase);
}

bool QueueRig::busy() const
{
    return top_->busy_o;
}
uint32_t QueueRig::irq_request() const
{
    return top_->irq_req_o;
}

void QueueRig::revive_bus()
{
    fault = nullptr;
    refuse_addresses = false;
    read_state_ = write_state_ = Idle;
}

void QueueRig::hard_reset()
{
    revive_bus();
    axil_write_ = axil_read_ = Idle;
    ar_held_ = aw_held_ = w_held_ = false;
    ack_in_.fill(0);
    ack_ = last_ack_ = 0;
    resetting_ = true;
    top_->rst_i = 1;
    for (int i = 0; i < 3; i++)
        tick();
    top_->rst_i = 0;
    resetting_ = false;
    last_request_ = 0;
    was_asleep_ = false;
    wait_ready();
}

void QueueRig::wait_ready(uint64_t limit)
{
    const uint64_t end = cycle_ + limit;
    while (!(read32(EPH_REG_STATUS) & EPH_STATUS_READY))
        EPH_CHECK(cycle_ < end, "not ready after %llu cycles", (unsigned long long)limit);
}

void QueueRig::run(uint64_t cycles)
{
    while (cycles--)
        tick();
}

void QueueRig::run_until(const std::function<bool()> &done, uint64_t limit, const char *what)
{
    const uint64_t end = cycle_ + limit;
    while (!done()) {
        EPH_CHECK(cycle_ < end, "waited %llu cycles for %s", (unsigned long long)limit, what);
        tick();
    }
}

void QueueRig::run_until_quiet(uint64_t limit)
{
    run_until([this] { return !busy() && bus_idle(); }, limit, "busy_o to fall");
}

void QueueRig::post_write(uint32_t address, uint32_t value, unsigned strobes)
{
    EPH_CHECK(axil_write_ == Idle, "bench: two register writes at once");
    reset_asked_ = address == EPH_REG_CTRL;
    write_address_ = address;
    write_value_ = value;
    write_strobes_ = strobes;
    aw_done_ = w_done_ = false;
    axil_write_ = Address;
}

void QueueRig::write32(uint32_t address, uint32_t value, unsigned strobes)
{
    run_until([this] { return !write_pending(); }, 1000, "a register write before");
    post_write(address, value, strobes);
    run_until([this] { return !write_pending(); }, 1000, "a register write");
}

void QueueRig::start_read(uint32_t address)
{
    EPH_CHECK(axil_read_ == Idle, "bench: two register reads at once");
    read_address_ = address;
    axil_read_ = Address;
}

uint32_t QueueRig::read32(uint32_t address)
{
    run_until([this] { return !write_pending(); }, 1000, "a register write before"); // reads push writes on PCIe
    start_read(address);
    run_until([this] { return !read_pending(); }, 1000, "a register read");
    return read_value_;
}

void QueueRig::tick()
{
    drive();
    top_->clk_i = 0;
    top_->eval();
    if (!resetting_)
        observe();
    top_->clk_i = 1;
    top_->eval();
    top_->clk_i = 0;
    top_->eval();
    cycle_++;
}

// Inputs of this cycle, from what was observed in earlier ones.
void QueueRig::drive()
{
    // What was offered once stays until it is taken.
    aw_offered_ = axil_write_ == Address && !aw_done_ && (aw_offered_ || !chance(pause));
    w_offered_ = axil_write_ == Address && !w_done_ && (w_offered_ || !chance(pause));
    r_offered_ = read_state_ == Data && (r_offered_ || !chance(pause));
    top_->s_axil_awvalid = aw_offered_;
    top_->s_axil_awaddr = write_address_;
    top_->s_axil_wvalid = w_offered_;
    top_->s_axil_wdata = write_value_;
    top_->s_axil_wstrb = write_strobes_;
    top_->s_axil_bready = axil_write_ != Idle && !chance(pause);
    top_->s_axil_arvalid = axil_read_ == Address;
    top_->s_axil_araddr = read_address_;
    top_->s_axil_rready = axil_read_ != Idle && !chance(pause);

    top_->m_axi_arready = read_state_ == Idle && !refuse_addresses && !chance(pause);
    top_->m_axi_rvalid = r_offered_;
    if (read_state_ == Data) {
        to_bus(top_->m_axi_rdata, memory(read_at_ + read_beat_ * kBusBytes, kBusBytes));
        top_->m_axi_rlast = read_beat_ + 1 == read_beats_ && read_fault_ != BusFault::kNoLast;
        top_->m_axi_rresp = read_fault_ == BusFault::kSlaveError && read_beat_ + 1 == read_beats_ ? 2 : 0;
    }

    top_->m_axi_awready = write_state_ == Idle && !refuse_addresses && !chance(pause);
    top_->m_axi_wready = write_state_ == Data && !chance(pause);
    top_->m_axi_bvalid = write_state_ == Answer && write_wait_ == 0;
    top_->m_axi_bresp = write_fault_ == BusFault::kSlaveError ? 2 : 0;
    top_->irq_ack_i = ack_;
}

void QueueRig::observe()
{
    check_busy();
    check_held(false);
    check_held(true);
    observe_axil();
    observe_read();
    observe_write();
    observe_interrupts();
}

// busy_o low and nobody outside does anything: nothing may ever happen again.
void QueueRig::check_busy()
{
    const bool outside = axil_write_ != Idle || axil_read_ != Idle || ack_ != 0 || !bus_idle();
    if (was_asleep_ && !outside) {
        EPH_CHECK(!top_->busy_o, "busy_o rose by itself at cycle %llu", (unsigned long long)cycle_);
        EPH_CHECK(!top_->m_axi_arvalid && !top_->m_axi_awvalid && top_->irq_req_o == last_request_,
                  "activity while busy_o was low");
    }
    was_asleep_ = !top_->busy_o && !outside;
}

void QueueRig::check_burst(bool write, uint64_t address, unsigned len, unsigned size, unsigned burst, unsigned user)
{
    const char *kind = write ? "write" : "read";
    const unsigned bytes = (len + 1) * kBusBytes;
    EPH_CHECK(burst == 1 && (1u << size) == kBusBytes, "%s burst type %u size %u", kind, burst, size);
    EPH_CHECK(bytes == EPH_ENTRY_BYTES || (!write && len == 0), "%s burst of %u bytes", kind, bytes);
    EPH_CHECK(address % (len ? kBusBytes * kEntryBeats : kBusBytes) == 0, "%s burst not aligned: %llx", kind,
              (unsigned long long)address);
    EPH_CHECK((address & 4095) + bytes <= 4096, "%s burst crosses 4 KiB: %llx", kind, (unsigned long long)address);
    memory(address, bytes);
    EPH_CHECK((address - kMemoryBase) / kRegionBytes == user, "%s of queue %u in another's memory: %llx", kind, user,
              (unsigned long long)address);
}

void QueueRig::check_held(bool write)
{
    if (refuse_addresses || (write ? write_state_ : read_state_) == Hung) { // the watchdog may give up
        (write ? aw_held_ : ar_held_) = false;
        if (write)
            w_held_ = false;
        return;
    }
    if (write) {
        EPH_CHECK(!aw_held_ || (top_->m_axi_awvalid && top_->m_axi_awaddr == held_aw_), "AWVALID did not stay");
        EPH_CHECK(!w_held_ || top_->m_axi_wvalid, "WVALID did not stay");
        aw_held_ = top_->m_axi_awvalid && !top_->m_axi_awready;
        w_held_ = top_->m_axi_wvalid && !top_->m_axi_wready;
        held_aw_ = top_->m_axi_awaddr;
    } else {
        EPH_CHECK(!ar_held_ || (top_->m_axi_arvalid && top_->m_axi_araddr == held_ar_), "ARVALID did not stay");
        ar_held_ = top_->m_axi_arvalid && !top_->m_axi_arready;
        held_ar_ = top_->m_axi_araddr;
    }
}

void QueueRig::observe_axil()
{
    if (axil_write_ != Idle) {
        aw_done_ |= top_->s_axil_awvalid && top_->s_axil_awready;
        w_done_ |= top_->s_axil_wvalid && top_->s_axil_wready;
        if (top_->s_axil_bvalid && top_->s_axil_bready) {
            EPH_CHECK(aw_done_ && w_done_ && top_->s_axil_bresp == 0, "register write answered early or with an error");
            axil_write_ = Idle;
        }
    } else {
        EPH_CHECK(!top_->s_axil_bvalid, "answer without a register write");
    }
    if (axil_read_ == Address && top_->s_axil_arready)
        axil_read_ = Data;
    else if (axil_read_ == Data && top_->s_axil_rvalid && top_->s_axil_rready) {
        EPH_CHECK(top_->s_axil_rresp == 0, "register read answered with an error");
        EPH_CHECK(top_->s_axil_rdata != 0xffffffff, "register %05x reads all ones", read_address_);
        read_value_ = top_->s_axil_rdata;
        axil_read_ = Idle;
    }
}

void QueueRig::observe_read()
{
    if (read_state_ == Idle && top_->m_axi_arvalid && top_->m_axi_arready) {
        check_burst(false, top_->m_axi_araddr, top_->m_axi_arlen, top_->m_axi_arsize, top_->m_axi_arburst,
                    top_->m_axi_aruser);
        read_at_ = top_->m_axi_araddr;
        read_beats_ = top_->m_axi_arlen + 1;
        read_beat_ = 0;
        read_user_ = top_->m_axi_aruser;
        read_fault_ = fault ? fault(false, read_at_) : BusFault::kNone;
        read_wait_ = latency_min + random_below(latency_max - latency_min + 1);
        read_state_ = read_fault_ == BusFault::kHangData ? Hung : Wait;
        if (read_wait_ == 0 && read_state_ == Wait)
            read_state_ = Data;
    } else if (read_state_ == Wait) {
        if (--read_wait_ == 0)
            read_state_ = Data;
    } else if (read_state_ == Data && top_->m_axi_rvalid && top_->m_axi_rready) {
        r_offered_ = false;
        if (++read_beat_ == read_beats_) {
            read_state_ = Idle;
            bursts.push_back({false, read_at_, read_user_, cycle_});
        }
    }
}

void QueueRig::observe_write()
{
    EPH_CHECK(!top_->m_axi_wvalid || write_state_ == Data || write_state_ == Hung, "write data without an address");
    if (write_state_ == Idle && top_->m_axi_awvalid && top_->m_axi_awready) {
        check_burst(true, top_->m_axi_awaddr, top_->m_axi_awlen, top_->m_axi_awsize, top_->m_axi_awburst,
                    top_->m_axi_awuser);
        write_at_ = top_->m_axi_awaddr;
        write_beat_ = 0;
        write_user_ = top_->m_axi_awuser;
        write_fault_ = fault ? fault(true, write_at_) : BusFault::kNone;
        write_wait_ = latency_min + random_below(latency_max - latency_min + 1);
        write_state_ = write_fault_ == BusFault::kHangData ? Hung : Data;
    } else if (write_state_ == Data && top_->m_axi_wvalid && top_->m_axi_wready) {
        EPH_CHECK(static_cast<uint64_t>(top_->m_axi_wstrb) == (uint64_t{1} << kBusBytes) - 1,
                  "write with strobes missing");
        EPH_CHECK(top_->m_axi_wlast == (write_beat_ + 1 == kEntryBeats), "WLAST in beat %u", write_beat_);
        if (write_fault_ == BusFault::kNone)
            from_bus(memory(write_at_ + write_beat_ * kBusBytes, kBusBytes), top_->m_axi_wdata);
        if (++write_beat_ == kEntryBeats)
            write_state_ = write_fault_ == BusFault::kHangAnswer ? Hung : Answer;
    } else if (write_state_ == Answer) {
        if (write_wait_ > 0)
            write_wait_--;
        else if (top_->m_axi_bready) {
            write_state_ = Idle;
            bursts.push_back({true, write_at_, write_user_, cycle_});
        }
    }
}

void QueueRig::observe_interrupts()
{
    const uint32_t request = top_->irq_req_o;
    EPH_CHECK((last_request_ & ~request & ~last_ack_) == 0 || reset_asked_,
              "interrupt request fell without an acknowledge");
    uint32_t next_ack = 0;
    for (unsigned v = 0; v < 17; v++) {
        if (!(request >> v & 1))
            ack_in_[v] = 0;
        if (ack_ >> v & 1 || !(request >> v & 1))
            continue;
        if (ack_in_[v] == 0)
            ack_in_[v] = 1 + random_below(ack_delay_max + 1);
        if (!hold_acks && --ack_in_[v] == 0) {
            next_ack |= 1u << v;
            interrupts[v]++;
        } else if (ack_in_[v] == 0) {
            ack_in_[v] = 1;
        }
    }
    last_request_ = request;
    last_ack_ = ack_;
    ack_ = next_ack;
}

} // namespace eph
