// SPDX-License-Identifier: Apache-2.0
#include "engine_rig.h"

#include <cstring>

#include "Veph_engine.h"
#include "Veph_engine___024root.h"

namespace eph
{

EngineRig::EngineRig(uint32_t seed) : top_(new Veph_engine), random_state_(seed * 2654435761u + 1)
{
    reset();
}

EngineRig::~EngineRig()
{
    top_->final();
}

uint32_t EngineRig::random() // xorshift32
{
    random_state_ ^= random_state_ << 13;
    random_state_ ^= random_state_ >> 17;
    random_state_ ^= random_state_ << 5;
    return random_state_;
}

void EngineRig::fail(const std::string &what)
{
    if (error_.empty())
        error_ = "cycle " + std::to_string(cycle_) + ": " + what;
}

void EngineRig::tick()
{
    top_->clk_i = 1;
    top_->eval();
    top_->clk_i = 0;
    top_->eval();
    cycle_++;
}

void EngineRig::reset(unsigned cycles)
{
    commands_.clear();
    command_word_ = completion_word_ = 0;
    refused_ = offered_ = false;
    top_->cmd_valid_i = 0;
    top_->cpl_ready_i = 0;
    top_->rst_i = 1;
    for (unsigned i = 0; i < cycles; i++)
        tick();
    top_->rst_i = 0;
    top_->eval();
}

bool EngineRig::wait_ready(uint64_t limit)
{
    for (uint64_t i = 0; i < limit; i++) {
        if (top_->ready_o)
            return true;
        if (top_->cmd_ready_o || top_->cpl_valid_o)
            fail("streams move before ready");
        tick();
    }
    return false;
}

void EngineRig::send(const eph_sqe &sqe, unsigned qid)
{
    Command command;
    memcpy(command.words, &sqe, sizeof command.words);
    command.tag = sqe.tag;
    command.qid = qid;
    commands_.push_back(command);
}

// Inputs for this cycle. A command word on offer stays until it is taken.
void EngineRig::drive()
{
    if (!offered_)
        offered_ = !commands_.empty() && (random() & 255) >= command_gap;
    top_->cmd_valid_i = offered_;
    if (!commands_.empty()) {
        top_->cmd_i = commands_.front().words[command_word_];
        top_->cmd_qid_i = commands_.front().qid;
    }
    if (long_stall_every && !stall_left_ && random() % long_stall_every == 0)
        stall_left_ = long_stall_cycles;
    if (stall_left_)
        stall_left_--;
    top_->cpl_ready_i = !stall_left_ && (random() & 255) >= completion_gap;
    top_->eval();
}

// Handshakes of this cycle, before its clock edge.
void EngineRig::observe()
{
    issued_ += top_->issue_o;
    uint64_t controls =
        top_->ready_o | top_->busy_o << 1 | top_->issue_o << 2 | top_->cmd_ready_o << 3 | top_->cpl_valid_o << 4;
    trace_hash_ = (trace_hash_ ^ controls) * 1099511628211u;

    if (top_->cmd_valid_i && top_->cmd_ready_o) {
        if (command_word_ == 0) {
            last_context_ = top_->rootp->eph_engine__DOT__u_load__DOT__ctx_q;
            context_of_tag_.push_back({commands_.front().tag, last_context_});
        }
        offered_ = false;
        if (++command_word_ == 64) {
            command_word_ = 0;
            commands_.pop_front();
        }
    }

    if (refused_ && (!top_->cpl_valid_o || top_->cpl_o != refused_word_))
        fail("a refused completion word changed");
    refused_ = top_->cpl_valid_o && !top_->cpl_ready_i;
    refused_word_ = top_->cpl_o;
    if (!top_->cpl_valid_o)
        return;
    if (completion_word_ == 0)
        completion_qid_ = top_->cpl_qid_o;
    else if (completion_qid_ != top_->cpl_qid_o)
        fail("qid changed within a completion");
    if (check_clear && completion_word_ == 63) {
        eph_cqe cqe;
        memcpy(&cqe, completion_, sizeof cqe);
        for (const auto &entry : context_of_tag_)
            if (entry.first == cqe.tag) {
                std::string left = left_in_context(entry.second);
                if (!left.empty())
                    fail("last word on offer, " + left);
            }
    }
    if (!top_->cpl_ready_i)
        return;
    completion_[completion_word_] = top_->cpl_o;
    if (++completion_word_ == 64) {
        Completion done;
        memcpy(&done.cqe, completion_, sizeof done.cqe);
        done.qid = completion_qid_;
        done.cycle = cycle_;
        completions_.push_back(done);
        completion_word_ = 0;
    }
}

bool EngineRig::run_until(size_t count, uint64_t limit)
{
    for (uint64_t i = 0; i < limit && completions_.size() < count && error_.empty(); i++) {
        drive();
        observe();
        tick();
    }
    if (completions_.size() < count)
        fail("only " + std::to_string(completions_.size()) + " of " + std::to_string(count) + " completions");
    return error_.empty();
}

void EngineRig::run_cycles(uint64_t cycles)
{
    for (uint64_t i = 0; i < cycles && error_.empty(); i++) {
        drive();
        observe();
        tick();
    }
}

unsigned EngineRig::context_of(uint32_t tag) const
{
    for (const auto &entry : context_of_tag_)
        if (entry.first == tag)
            return entry.second;
    return kContexts;
}

void EngineRig::flip_scalar_bit(uint32_t tag, unsigned bit)
{
    Veph_engine___024root *root = top_->rootp;
    unsigned pair = context_of(tag) * 32 + bit / 16;
    auto &byte = bit / 8 % 2 ? root->eph_engine__DOT__u_scalar__DOT__odd_mem[pair]
                             : root->eph_engine__DOT__u_scalar__DOT__even_mem[pair];
    byte ^= 1u << bit % 8;
}

bool EngineRig::busy() const
{
    return top_->busy_o;
}
bool EngineRig::idle() const
{
    return top_->idle_o;
}

std::string EngineRig::left_in_context(unsigned context) const
{
    const Veph_engine___024root *root = top_->rootp;
    std::string left;
    auto note = [&](const char *kind, unsigned entry, uint64_t value) {
        if (value && left.empty())
            left = std::string(kind) + " " + std::to_string(entry) + " of context " + std::to_string(context) +
                   " not cleared";
    };
#define EPH_TABLE_DIGIT(d) root->eph_engine__DOT__u_table__DOT__gen_digit__BRA__##d##__KET____DOT__u_ram__DOT__mem
#define EPH_REG_DIGIT(d, copy)                                                                                         \
    root->eph_engine__DOT__u_regfile__DOT__gen_digit__BRA__##d##__KET____DOT__gen_copy__BRA__##copy##__KET____DOT__u_ram__DOT__mem
#define EPH_NOTE_DIGIT(d)                                                                                              \
    for (unsigned i = 0; i < 16; i++)                                                                                  \
        note("register", i,                                                                                            \
             EPH_REG_DIGIT(d, 0)[context * 16 + i] | EPH_REG_DIGIT(d, 1)[context * 16 + i] |                           \
                 EPH_REG_DIGIT(d, 2)[context * 16 + i] | EPH_REG_DIGIT(d, 3)[context * 16 + i]);                       \
    for (unsigned i = 0; i < 32; i++)                                                                                  \
        note("table entry", i, EPH_TABLE_DIGIT(d)[context * 32 + i]);
    EPH_NOTE_DIGIT(0)
    EPH_NOTE_DIGIT(1)
    EPH_NOTE_DIGIT(2)
    EPH_NOTE_DIGIT(3)
    EPH_NOTE_DIGIT(4)
    EPH_NOTE_DIGIT(5)
    EPH_NOTE_DIGIT(6)
    EPH_NOTE_DIGIT(7)
    for (unsigned i = 0; i < 32; i++)
        note("scalar pair", i,
             root->eph_engine__DOT__u_scalar__DOT__even_mem[context * 32 + i] |
                 root->eph_engine__DOT__u_scalar__DOT__odd_mem[context * 32 + i]);
    note("record", 0,
         root->eph_engine__DOT__u_scalar_record__DOT__state_mem[context] |
             root->eph_engine__DOT__u_scalar_record__DOT__expect_mem[context]);
    return left;
}

std::string EngineRig::left_anywhere() const
{
    const Veph_engine___024root *root = top_->rootp;
    for (unsigned context = 0; context < kContexts; context++) {
        std::string left = left_in_context(context);
        if (!left.empty())
            return left;
    }
    for (unsigned i = 0; i < 64; i++)
        if (root->eph_engine__DOT__u_cqe_out__DOT__gen_half__BRA__0__KET____DOT__mem[i] ||
            root->eph_engine__DOT__u_cqe_out__DOT__gen_half__BRA__1__KET____DOT__mem[i])
            return "completion buffer not cleared";
    for (unsigned i = 0; i < 8; i++)
        if (root->eph_engine__DOT__u_load__DOT__buffer_q[i])
            return "operand buffer not cleared";
    if (root->eph_engine__DOT__u_load__DOT__u_scalar_in__DOT__prev_q ||
        root->eph_engine__DOT__u_load__DOT__u_scalar_in__DOT__out_q ||
        root->eph_engine__DOT__u_load__DOT__u_scalar_expect__DOT__sum_q ||
        root->eph_engine__DOT__u_load__DOT__u_scalar_expect__DOT__upper_q)
        return "scalar words not cleared";
    for (unsigned i = 0; i < 9; i++)
        if (root->eph_engine__DOT__u_unload__DOT__u_canon__DOT__value_q[i] ||
            root->eph_engine__DOT__u_unload__DOT__u_canon__DOT__diff_q[i])
            return "unload unit not cleared";
    return "";
}

} // namespace eph
