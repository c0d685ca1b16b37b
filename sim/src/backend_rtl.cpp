// SPDX-License-Identifier: Apache-2.0
// The rtl back end: Verilated eph_top between an AXI4-Lite master (register accesses) and an AXI4 slave (the clients' memory).
// The clock runs only while an access is pending or busy_o says that there is work.
#include "backend.h"

#include "Veph_top.h"
#include "verilated.h"
#include "verilated_fst_c.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#define _Static_assert static_assert // wire.h is a C header
#include <ephemera/wire.h>

namespace {

constexpr unsigned kSliceCycles = 1024;      // a few milliseconds
constexpr unsigned kAccessCycles = 100000;   // a register access that takes longer never ends
constexpr unsigned kStartCycles = 10000000;  // the wipe after reset is far shorter
constexpr unsigned kBeatBytes = 16;          // AxiDataBits = 128
constexpr uint8_t kSlverr = 2;

enum class Bus { kIdle, kData, kResponse };

class Device {
public:
    Device(const eph_backend_options &options, const eph_host &host) : host_(host)
    {
        context_.fatalOnError(false); // an assertion of the RTL must not end the host process: see broken()
        context_.assertOn(true);
        context_.threads(1); // no pool: the model runs in the caller's thread alone
        if (options.wave_path != nullptr) {
            context_.traceEverOn(true);
            wave_.reset(new VerilatedFstC);
        }
        select();
        top_.reset(new Veph_top(&context_, "eph_top"));
        if (wave_) {
            top_->trace(wave_.get(), 99);
            wave_->open(options.wave_path);
        }
    }
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    void start()
    {
        select();
        top_->rst_i = 1;
        for (int i = 0; i < 8; i++)
            tick();
        top_->rst_i = 0;
        tick();
        settle();
    }

    void end()
    {
        select();
        write(EPH_REG_CTRL, EPH_CTRL_RESET); // wipes every context
        settle();
        if (wave_)
            wave_->close();
        top_->final();
    }

    uint32_t read(uint32_t offset)
    {
        select();
        top_->s_axil_araddr = offset;
        top_->s_axil_arvalid = 1;
        top_->s_axil_rready = 1;
        uint32_t value = UINT32_MAX; // a device that does not answer is gone
        for (unsigned i = 0; i < kAccessCycles && !broken(); i++) {
            edge_low();
            const bool accepted = top_->s_axil_arvalid && top_->s_axil_arready;
            const bool answered = top_->s_axil_rvalid;
            const uint32_t data = top_->s_axil_rdata;
            edge_high();
            if (accepted)
                top_->s_axil_arvalid = 0;
            if (answered) {
                value = data;
                break;
            }
        }
        top_->s_axil_arvalid = top_->s_axil_rready = 0;
        return value;
    }

    void write(uint32_t offset, uint32_t value)
    {
        select();
        top_->s_axil_awaddr = offset;
        top_->s_axil_wdata = value;
        top_->s_axil_wstrb = 0xf;
        top_->s_axil_awvalid = top_->s_axil_wvalid = top_->s_axil_bready = 1;
        for (unsigned i = 0; i < kAccessCycles && !broken(); i++) {
            edge_low();
            const bool address = top_->s_axil_awvalid && top_->s_axil_awready;
            const bool data = top_->s_axil_wvalid && top_->s_axil_wready;
            const bool answered = top_->s_axil_bvalid;
            edge_high();
            if (address)
                top_->s_axil_awvalid = 0;
            if (data)
                top_->s_axil_wvalid = 0;
            if (answered)
                break;
        }
        top_->s_axil_awvalid = top_->s_axil_wvalid = top_->s_axil_bready = 0;
    }

    bool run()
    {
        select();
        for (unsigned i = 0; i < kSliceCycles; i++) {
            if (broken() || !active())
                return false;
            tick();
        }
        return true;
    }

    uint64_t cycles() const { return cycles_; }

private:
    // $stop and failed assertions report to the context of the calling thread, which the plugin's is not by itself.
    void select() { Verilated::threadContextp(&context_); }
    bool broken() const { return context_.gotError() || context_.gotFinish(); }
    bool active() const { return top_->busy_o || read_ != Bus::kIdle || write_ != Bus::kIdle || ack_ != 0; }

    void settle()
    {
        for (unsigned i = 0; i < kStartCycles && active() && !broken(); i++)
            tick();
    }

    void tick()
    {
        edge_low();
        edge_high();
    }

    // Low half of the clock: our registered outputs become the device's inputs, and what it answers combinationally settles.
    void edge_low()
    {
        top_->m_axi_arready = read_ == Bus::kIdle;
        top_->m_axi_rvalid = read_ == Bus::kData;
        if (read_ == Bus::kData) {
            std::memcpy(&top_->m_axi_rdata, read_data_ + read_beat_ * kBeatBytes, kBeatBytes);
            top_->m_axi_rresp = read_refused_ ? kSlverr : 0;
            top_->m_axi_rlast = read_beat_ == read_last_;
        }
        top_->m_axi_awready = write_ == Bus::kIdle;
        top_->m_axi_wready = write_ == Bus::kData;
        top_->m_axi_bvalid = write_ == Bus::kResponse;
        top_->m_axi_bresp = write_refused_ ? kSlverr : 0;
        const uint32_t fresh = top_->irq_req_o & ~ack_;
        for (unsigned vector = 0; fresh >> vector != 0; vector++)
            if (fresh >> vector & 1)
                host_.interrupt(host_.context, vector);
        ack_ = fresh;
        top_->irq_ack_i = ack_;
        top_->clk_i = 0;
        top_->eval();
        if (wave_)
            wave_->dump(2 * cycles_);
    }

    // Rising edge: both sides act on what was valid and ready just before it.
    void edge_high()
    {
        const bool ar = top_->m_axi_arvalid && top_->m_axi_arready, r = top_->m_axi_rvalid && top_->m_axi_rready;
        const bool aw = top_->m_axi_awvalid && top_->m_axi_awready, w = top_->m_axi_wvalid && top_->m_axi_wready;
        const bool b = top_->m_axi_bvalid && top_->m_axi_bready;
        if (r)
            next_read_beat();
        if (ar)
            accept_read();
        if (b)
            write_ = Bus::kIdle;
        if (w)
            accept_write_beat();
        if (aw)
            accept_write();
        top_->clk_i = 1;
        top_->eval();
        if (wave_)
            wave_->dump(2 * cycles_ + 1);
        cycles_++;
    }

    void accept_read()
    {
        read_last_ = top_->m_axi_arlen % kMaxBeats; // at most 256 bytes, by contract
        read_beat_ = 0;
        read_refused_ = top_->m_axi_arlen >= kMaxBeats ||
                        !host_.dma_read(host_.context, top_->m_axi_aruser, top_->m_axi_araddr, read_data_,
                                        (read_last_ + 1) * kBeatBytes);
        if (read_refused_)
            std::memset(read_data_, 0, sizeof read_data_);
        read_ = Bus::kData;
    }

    void next_read_beat()
    {
        if (read_beat_++ == read_last_) {
            std::memset(read_data_, 0, sizeof read_data_); // it held a scalar
            read_ = Bus::kIdle;
        }
    }

    void accept_write()
    {
        write_address_ = top_->m_axi_awaddr;
        write_queue_ = top_->m_axi_awuser;
        write_beat_ = 0;
        write_ = Bus::kData;
    }

    void accept_write_beat()
    {
        if (write_beat_ < kMaxBeats)
            std::memcpy(write_data_ + write_beat_++ * kBeatBytes, &top_->m_axi_wdata, kBeatBytes);
        if (!top_->m_axi_wlast)
            return;
        write_refused_ = !host_.dma_write(host_.context, write_queue_, write_address_, write_data_, write_beat_ * kBeatBytes);
        std::memset(write_data_, 0, sizeof write_data_); // it held a shared secret
        write_ = Bus::kResponse;
    }

    static constexpr unsigned kMaxBeats = EPH_ENTRY_BYTES / kBeatBytes;

    eph_host host_;
    VerilatedContext context_;
    std::unique_ptr<VerilatedFstC> wave_;
    std::unique_ptr<Veph_top> top_;
    uint64_t cycles_ = 0;
    uint32_t ack_ = 0;
    Bus read_ = Bus::kIdle, write_ = Bus::kIdle;
    unsigned read_beat_ = 0, read_last_ = 0, write_beat_ = 0, write_queue_ = 0;
    bool read_refused_ = false, write_refused_ = false;
    uint64_t write_address_ = 0;
    uint8_t read_data_[EPH_ENTRY_BYTES] = {}, write_data_[EPH_ENTRY_BYTES] = {};
};

bool writable(const char *path)
{
    std::FILE *file = std::fopen(path, "wb");
    return file != nullptr && std::fclose(file) == 0;
}

// Engines and contexts are parameters of the Verilated build: anything else can not be had.
bool as_built(Device *device, const eph_backend_options &options)
{
    const uint32_t engines = device->read(EPH_REG_ENGINES), contexts = device->read(EPH_REG_QUEUES) >> 16;
    return (options.engines == 0 || options.engines == engines) && (options.contexts == 0 || options.contexts == contexts);
}

void *rtl_open(const eph_backend_options *options, const eph_host *host)
{
    if (options->wave_path != nullptr && !writable(options->wave_path))
        return nullptr; // errno says why
    std::unique_ptr<Device> device(new (std::nothrow) Device(*options, *host));
    if (!device) {
        errno = ENOMEM;
        return nullptr;
    }
    device->start();
    if (!as_built(device.get(), *options)) {
        errno = ENOTSUP;
        return nullptr;
    }
    return device.release();
}

// A copy that a fork caught in the middle of an evaluation holds Verilator's locks for ever: it is left where it is.
void rtl_close(void *device, bool orderly)
{
    if (device == nullptr || !orderly)
        return;
    static_cast<Device *>(device)->end();
    delete static_cast<Device *>(device);
}
uint32_t rtl_read32(void *device, uint32_t offset) { return static_cast<Device *>(device)->read(offset); }
void rtl_write32(void *device, uint32_t offset, uint32_t value) { static_cast<Device *>(device)->write(offset, value); }
bool rtl_run(void *device) { return static_cast<Device *>(device)->run(); }
uint64_t rtl_cycles(void *device) { return static_cast<Device *>(device)->cycles(); }

} // namespace

extern "C" const struct eph_backend eph_backend_rtl = {
    "rtl",      "the RTL itself: eph_top simulated by Verilator, cycle by cycle",
    rtl_open,   rtl_close,
    rtl_read32, rtl_write32,
    rtl_run,    rtl_cycles, nullptr,   nullptr, nullptr, nullptr,
};
