// SPDX-License-Identifier: Apache-2.0
// Bench of eph_fma: random and edge instructions of both fields mixed, with every slot busy, with random bubbles and
// one at a time; each digit is compared in the cycle that eph_fma_pkg::Lat gives, never before or after.
//
// - fma_bench
// - fma_bench --late DIGIT: expects that digit one cycle late, so it must fail (a check of the bench itself)
// - fma_bench --violate NAME: one instruction outside the bound of assertion NAME, which must fire
#include "Veph_fma_bench.h"
#include "fma_model.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

static const unsigned Instructions = 60000;
static const unsigned Seed = 25519;

struct Slot {
    const Instruction *in = nullptr; // nullptr: bubble
    Digits result{};
};

class Bench
{
  public:
    explicit Bench(int late_digit)
    {
        dut_.eval();
        for (int i = 0; i < 8; i++)
            lat_[i] = (unsigned)(dut_.lat_o >> 8 * i & 0xff) + (i == late_digit);
    }
    bool latencies_ok();
    void run(std::vector<Slot> &slots);

  private:
    void drive(const std::vector<Slot> &slots, long cycle);

    Veph_fma_bench dut_;
    unsigned lat_[8];
};

// What the engine's barrel of 64 contexts needs, and that the two extremes are what they say.
bool Bench::latencies_ok()
{
    unsigned least = ~0u, most = 0;
    for (int i = 0; i < 8; i++) {
        unsigned lat = (unsigned)(dut_.lat_o >> 8 * i & 0xff);
        least = lat < least ? lat : least;
        most = lat > most ? lat : most;
        if (lat + 3 > (i & 1 ? 62u : 61u)) {
            printf("digit %d comes at %u, too late for 64 contexts\n", i, lat);
            return false;
        }
    }
    if (least != (dut_.lat_min_max_o & 0xff) || most != dut_.lat_min_max_o >> 8) {
        printf("LatMin or LatMax is not the extreme of Lat\n");
        return false;
    }
    return true;
}

static void put_digit(WData *words, unsigned i, uint64_t digit)
{
    for (unsigned bit = 36 * i, left = 36; left;) {
        unsigned at = bit & 31, n = 32 - at < left ? 32 - at : left;
        uint32_t mask = (uint32_t)(((1ull << n) - 1) << at);
        words[bit >> 5] = (words[bit >> 5] & ~mask) | ((uint32_t)(digit << at) & mask);
        digit >>= n;
        bit += n;
        left -= n;
    }
}

static uint64_t get_digit(const WData *words, unsigned i)
{
    unsigned bit = 36 * i, word = bit >> 5;
    unsigned __int128 v = 0;
    for (unsigned n = 0; n < 3 && word + n < 9; n++)
        v |= (unsigned __int128)words[word + n] << 32 * n;
    return (uint64_t)(v >> (bit & 31)) & ((1ull << 36) - 1);
}

// Controls one cycle before the even digits, odd digits one cycle after them.
void Bench::drive(const std::vector<Slot> &slots, long cycle)
{
    auto at = [&](long n) { return n >= 0 && n < (long)slots.size() ? slots[(size_t)n].in : nullptr; };
    const Instruction *next = at(cycle + 1), *even = at(cycle), *odd = at(cycle - 1);
    dut_.ctl_i = next ? next->ctl.word() : 0;
    WData *ports[SOURCES] = {dut_.p0_i.data(), dut_.p1_i.data(),  dut_.p2_i.data(),
                             dut_.p3_i.data(), dut_.tab_i.data(), dut_.rom_i.data()};
    for (unsigned s = 0; s < SOURCES; s++)
        for (unsigned i = 0; i < 8; i++) {
            const Instruction *in = i & 1 ? odd : even;
            put_digit(ports[s], i, in ? in->src[s][i] : 0);
        }
}

void Bench::run(std::vector<Slot> &slots)
{
    for (long cycle = -1; cycle < (long)slots.size() + 64; cycle++) {
        drive(slots, cycle);
        dut_.clk_i = 0;
        dut_.eval();
        for (unsigned i = 0; i < 8; i++) {
            long n = cycle - (long)lat_[i];
            if (n >= 0 && n < (long)slots.size())
                slots[(size_t)n].result[i] = get_digit(dut_.res_o.data(), i);
        }
        dut_.clk_i = 1;
        dut_.eval();
    }
}

// Every value of every control field must have been used in both fields; returns the number of gaps.
static unsigned coverage_gaps(const std::vector<Instruction> &all)
{
    std::map<std::string, unsigned> seen;
    for (const Instruction &in : all) {
        const Control &c = in.ctl;
        const char *names[] = {"sha", "shb", "she",  "tb",    "tg",    "ksh",   "za",       "zb",
                               "zc",  "ze",  "esel", "neg_b", "neg_g", "neg_e", "x_from_y", "y_from_x"};
        unsigned values[] = {c.sha, c.shb, c.she,  c.tb,    c.tg,    c.ksh,   c.za,       c.zb,
                             c.zc,  c.ze,  c.esel, c.neg_b, c.neg_g, c.neg_e, c.x_from_y, c.y_from_x};
        for (unsigned i = 0; i < 16; i++)
            seen[std::string(names[i]) + std::to_string(values[i]) + (c.f25519 ? "/25519" : "/P-256")]++;
    }
    // 3 shifts of 4, tb 3, tg 4, ksh 6, 10 flags of 2; two fields
    const unsigned wanted = 2 * (3 * 4 + 3 + 4 + 6 + 10 * 2);
    for (auto &s : seen)
        if (s.second < 20)
            printf("%s used only %u times\n", s.first.c_str(), s.second);
    return wanted - (unsigned)seen.size();
}

// An instruction that breaks one documented bound. The expected value is not looked at.
static bool violation(const std::string &assertion, Instruction &in)
{
    const uint64_t full = (1ull << 33) - 1, top = (1ull << 30) - 1;
    const Digits max = {full, full, full, full, full, full, full, top};
    const Digits middle = {0, 0, full, full, full, full, 0, 0};
    Control &c = in.ctl;
    in = {};
    c.za = c.zb = c.zc = c.ze = 1;
    if (assertion == "a_table_exists") {
        c.tb = 3;
    } else if (assertion == "a_bias_exists") {
        c.ksh = 7;
    } else if (assertion == "a_one_exchange") {
        c.x_from_y = c.y_from_x = 1;
    } else if (assertion == "a_one_b_operand") { // port and table part of b both non-zero
        in.src[P1] = in.src[TAB] = max;
        c.zb = 0;
        c.tb = 1;
    } else if (assertion == "a_square_fits") { // square of an operand shifted by 3
        in.src[P0] = max;
        c.za = 0;
        c.sha = 3;
        c.y_from_x = 1;
    } else if (assertion == "a_sum_fits") { // square of 2a + b: a difference of differences exceeds 69 bits
        in.src[P0] = in.src[P1] = middle;
        c.za = c.zb = 0;
        c.sha = 1;
        c.y_from_x = 1;
    } else if (assertion == "a_p256_range") { // 0 * 0 - e + p < 0
        in.src[P1] = max;
        c.ze = 0;
        c.neg_e = 1;
    } else if (assertion == "a_wrap_fits") { // 2^255-19 with operands near 2^261
        in.src[P0] = in.src[P2] = max;
        c.za = c.zc = 0;
        c.f25519 = 1;
    } else if (assertion == "a_quotient_fits") { // -2^257 * 2^260: more than the bias of 2^255-19 covers
        in.src[P1][7] = 1 << 26;
        in.src[P2][7] = 1 << 29;
        c.zb = c.zc = 0;
        c.neg_b = 1;
        c.f25519 = 1;
    } else {
        return false;
    }
    return true;
}

static int violate(const char *assertion)
{
    Instruction in;
    if (!violation(assertion, in)) {
        printf("no assertion named %s\n", assertion);
        return 2;
    }
    Verilated::threadContextp()->fatalOnError(false);
    std::vector<Slot> slots(200);
    slots[100].in = &in; // when the pipeline is full
    Bench(-1).run(slots);
    return Verilated::threadContextp()->gotError() ? 0 : 1;
}

int main(int argc, char **argv)
{
    int late_digit = argc == 3 && !strcmp(argv[1], "--late") ? atoi(argv[2]) : -1;
    if (argc == 3 && !strcmp(argv[1], "--violate"))
        return violate(argv[2]);
    Model model(Seed);
    std::vector<Instruction> all;
    for (unsigned n = 0; n < Instructions; n++)
        all.push_back(model.next());

    // half of them back to back, then with random bubbles, then the last 200 alone in the pipeline
    std::vector<Slot> slots;
    std::mt19937 random(Seed);
    for (unsigned n = 0; n < Instructions; n++) {
        unsigned gap = n < Instructions / 2 ? 0 : n < Instructions - 200 ? (unsigned)(random() % 3) : 70;
        slots.resize(slots.size() + gap);
        slots.push_back({&all[n], {}});
    }

    Bench bench(late_digit);
    bool latencies_ok = bench.latencies_ok();
    auto start = std::chrono::steady_clock::now();
    bench.run(slots);
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    unsigned differ = 0, checked = 0, fields[2] = {0, 0};
    for (const Slot &slot : slots) {
        if (!slot.in)
            continue;
        std::array<uint64_t, 5> words;
        checked++;
        fields[slot.in->ctl.f25519]++;
        if ((!value(slot.result, words) || words != slot.in->expected) && differ++ < 5)
            printf("slot %ld: controls %06x, field %s\n", long(&slot - slots.data()), slot.in->ctl.word(),
                   slot.in->ctl.f25519 ? "25519" : "P-256");
    }
    unsigned gaps = coverage_gaps(all);
    printf("%u of %u results differ (%u of 2^255-19, %u of P-256), %u control values unused\n", differ, checked,
           fields[1], fields[0], gaps);
    printf("%zu cycles simulated in %.2f s\n", slots.size(), seconds);
    return differ || gaps || !latencies_ok || checked != Instructions;
}
