// SPDX-License-Identifier: Apache-2.0
// Drives one Verilated eph_top as a PCIe bridge would: register accesses, host memory behind an AXI slave with random
// pauses and injected faults, interrupt acknowledges. Checks the bus protocol and busy_o in every cycle; the first
// violation ends the bench.
#pragma once
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

class Veph_top;

namespace eph
{

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define EPH_CHECK(condition, ...)                                                                                      \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            eph::fail(__VA_ARGS__);                                                                                    \
    } while (0)

// Host memory: one region a queue; the first regions lie below, the others above a 4 GiB boundary.
constexpr uint64_t kMemoryBase = 0x12ff7fe000;
constexpr uint64_t kRegionBytes = 0x100000;
constexpr unsigned kRegions = 16;

enum class BusFault { kNone, kSlaveError, kNoLast, kHangData, kHangAnswer };

struct BusEvent { // one finished burst
    bool write;
    uint64_t address;
    unsigned queue;
    uint64_t cycle;
};

class QueueRig
{
  public:
    explicit QueueRig(uint32_t seed);
    ~QueueRig();

    void write32(uint32_t address, uint32_t value, unsigned strobes = 15);
    uint32_t read32(uint32_t address);
    // Starts a write without waiting; it is accepted at once when no other is under way.
    void post_write(uint32_t address, uint32_t value, unsigned strobes = 15);
    bool write_pending() const { return axil_write_ != Idle; }
    void start_read(uint32_t address);
    bool read_pending() const { return axil_read_ != Idle; }
    uint32_t read_value() const { return read_value_; }

    void run(uint64_t cycles);
    void run_until(const std::function<bool()> &done, uint64_t limit, const char *what);
    void run_until_quiet(uint64_t limit = 200000); // busy_o low
    void hard_reset();                             // device and bus; returns when STATUS is ready
    void wait_ready(uint64_t limit = 20000);

    uint8_t *memory(uint64_t address, uint64_t bytes);
    uint32_t random();
    unsigned random_below(unsigned n) { return random() % n; }
    bool chance(unsigned in_256) { return in_256 && (random() & 255) < in_256; }

    // Knobs. Pauses: chance in 256 a cycle and channel; latency: cycles from address to first data or to the answer.
    unsigned pause = 0, latency_min = 0, latency_max = 0;
    unsigned ack_delay_max = 0;
    bool hold_acks = false;
    bool refuse_addresses = false;                               // ARREADY, AWREADY stay low
    std::function<BusFault(bool write, uint64_t address)> fault; // asked for each burst
    void revive_bus(); // after a hang, as a reset of the bridge would: forgets what is under way, no more faults

    std::array<unsigned, 17> interrupts{}; // acknowledged
    std::vector<BusEvent> bursts;
    uint64_t cycle() const { return cycle_; }
    bool busy() const;
    bool bus_idle() const { return read_state_ == Idle && write_state_ == Idle; }
    uint32_t irq_request() const;
    // A secret left in the buffers of the queue front end; empty when all is zero. In queue_peek.cpp.
    std::string left_in_buffers() const;

  private:
    enum State { Idle, Address, Wait, Data, Answer, Hung };
    void tick();
    void drive();
    void observe();
    void observe_axil();
    void observe_read();
    void observe_write();
    void observe_interrupts();
    void check_burst(bool write, uint64_t address, unsigned len, unsigned size, unsigned burst, unsigned user);
    void check_held(bool write);
    void check_busy();

    std::unique_ptr<Veph_top> top_;
    std::vector<uint8_t> memory_;
    uint32_t random_state_;
    uint64_t cycle_ = 0;

    State axil_write_ = Idle, axil_read_ = Idle;
    bool aw_done_ = false, w_done_ = false;
    uint32_t write_address_ = 0, write_value_ = 0, write_strobes_ = 0, read_address_ = 0, read_value_ = 0;

    State read_state_ = Idle, write_state_ = Idle;
    uint64_t read_at_ = 0, write_at_ = 0;
    unsigned read_beats_ = 0, read_beat_ = 0, write_beats_ = 0, write_beat_ = 0, read_wait_ = 0, write_wait_ = 0;
    unsigned read_user_ = 0, write_user_ = 0;
    BusFault read_fault_ = BusFault::kNone, write_fault_ = BusFault::kNone;
    // Offered and not taken in the cycle before: must stay.
    bool aw_offered_ = false, w_offered_ = false, r_offered_ = false; // by this side
    bool ar_held_ = false, aw_held_ = false, w_held_ = false;
    uint64_t held_ar_ = 0, held_aw_ = 0;

    std::array<unsigned, 17> ack_in_{}; // 0: no request seen; else cycles + 1 to the acknowledge
    uint32_t ack_ = 0, last_ack_ = 0, last_request_ = 0;
    bool was_asleep_ = false;
    bool resetting_ = false, reset_asked_ = false;
};

} // namespace eph
