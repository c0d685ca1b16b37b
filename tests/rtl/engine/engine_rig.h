// SPDX-License-Identifier: Apache-2.0
// Drives one Verilated eph_engine through its two streams and looks into its memories.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <ephemera/wire.h>

class Veph_engine;

namespace eph
{

constexpr unsigned kContexts = 64; // the parameter's default

struct Completion {
    eph_cqe cqe;
    unsigned qid;
    uint64_t cycle; // in which the last word was taken
};

class EngineRig
{
  public:
    explicit EngineRig(uint32_t seed);
    ~EngineRig();

    void reset(unsigned cycles = 3);
    // Cycles from the release of reset to ready; false result when it takes longer than `limit`.
    bool wait_ready(uint64_t limit);

    void send(const eph_sqe &sqe, unsigned qid);
    // Runs until `count` completions in all have come out, or for `limit` cycles. False on the limit or on a protocol
    // error.
    bool run_until(size_t count, uint64_t limit);
    void run_cycles(uint64_t cycles);

    // Chance in 256 that the rig leaves the command stream idle, or refuses a completion word, in a cycle.
    unsigned command_gap = 0, completion_gap = 0;
    // Every so often refuse completions for a long time.
    unsigned long_stall_every = 0, long_stall_cycles = 0;
    // When a completion's last word is on offer, look whether its context is clear (sound only without reuse of
    // contexts).
    bool check_clear = false;

    // What is left in a context, or in the whole engine; empty when all is zero.
    std::string left_in_context(unsigned context) const;
    std::string left_anywhere() const;

    // Plants a fault: a bit of that request's scalar in scalar RAM.
    void flip_scalar_bit(uint32_t tag, unsigned bit);

    const std::vector<Completion> &completions() const { return completions_; }
    const std::string &error() const { return error_; }
    uint64_t cycle() const { return cycle_; }
    uint64_t issued() const { return issued_; }         // cycles with issue_o
    uint64_t trace_hash() const { return trace_hash_; } // of all control outputs, cycle by cycle
    bool busy() const;
    bool idle() const;
    size_t unsent() const { return commands_.size(); }
    unsigned context_of(uint32_t tag) const;
    unsigned last_context() const { return last_context_; } // taken by the newest command

  private:
    struct Command {
        uint32_t words[64];
        uint32_t tag;
        unsigned qid;
    };
    void tick();
    void drive();
    void observe();
    void fail(const std::string &what);
    uint32_t random();

    std::unique_ptr<Veph_engine> top_;
    std::deque<Command> commands_;
    unsigned command_word_ = 0, completion_word_ = 0, completion_qid_ = 0, stall_left_ = 0, last_context_ = 0;
    uint32_t completion_[64] = {};
    bool offered_ = false; // a command word is on offer: it must stay until taken
    bool refused_ = false; // the word on offer was refused in the cycle before: it must stay
    uint32_t refused_word_ = 0;
    std::vector<std::pair<uint32_t, unsigned>> context_of_tag_;
    std::vector<Completion> completions_;
    std::string error_;
    uint64_t cycle_ = 0, issued_ = 0, trace_hash_ = 1469598103934665603u;
    uint32_t random_state_;
};

} // namespace eph
