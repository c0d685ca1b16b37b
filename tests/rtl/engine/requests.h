// SPDX-License-Identifier: Apache-2.0
// Random requests, what their completions must say, and batches of them.
#pragma once
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "engine_rig.h"

namespace eph
{

extern std::mt19937_64 rng; // fixed seed

// A request with random operands and a tag of its own; what the device must ignore is noise.
eph_sqe request(unsigned opcode, unsigned curve);
eph_sqe derive_request();
eph_sqe keygen_request();
eph_sqe p256_derive_request(); // peer: a random point of the curve

// What a completion says, against what its request asked. Empty when right.
std::string check(const eph_sqe &sqe, unsigned qid, const Completion &done);
// The same, when the device must have noticed that it consumed a wrong scalar.
std::string check_refused(const eph_sqe &sqe, unsigned qid, const Completion &done);

// A batch: requests sent through a rig, completions checked in whatever order they come.
class Batch
{
  public:
    explicit Batch(EngineRig &rig) : rig_(rig), first_(rig.completions().size()) {}
    // refused: its scalar will be damaged on the way
    void add(const eph_sqe &sqe, bool refused = false)
    {
        unsigned qid = rng() % EPH_MAX_QUEUES;
        sent_[sqe.tag] = {sqe, qid};
        if (refused)
            refused_.insert(sqe.tag);
        rig_.send(sqe, qid);
    }
    // Runs until all have completed; true when all are right.
    bool finish(uint64_t limit)
    {
        if (!rig_.run_until(first_ + sent_.size(), limit)) {
            printf("%s\n", rig_.error().c_str());
            return false;
        }
        for (size_t i = first_; i < rig_.completions().size(); i++) {
            const Completion &done = rig_.completions()[i];
            auto found = sent_.find(done.cqe.tag);
            auto rule = refused_.count(done.cqe.tag) ? check_refused : check;
            std::string wrong = found == sent_.end() ? "unknown or repeated tag"
                                                     : rule(found->second.first, found->second.second, done);
            if (!wrong.empty()) {
                printf("completion %zu, tag %u: %s\n", i, done.cqe.tag, wrong.c_str());
                return false;
            }
            sent_.erase(found);
        }
        return true;
    }

  private:
    EngineRig &rig_;
    size_t first_; // completions of this batch start here
    std::map<uint32_t, std::pair<eph_sqe, unsigned>> sent_;
    std::set<uint32_t> refused_;
};

} // namespace eph
