// What `import Glibc` does not show of Linux, as plain functions and plain integers.
// Every call returns its result, or a negative errno. Interrupted calls are repeated inside.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls.h"

// epoll -------------------------------------------------------------------------------------

static const uint32_t TW_IN = 0x001;
static const uint32_t TW_OUT = 0x004;
static const uint32_t TW_ERR = 0x008;
static const uint32_t TW_HUP = 0x010;
static const uint32_t TW_RDHUP = 0x2000;

/// One readiness report: the same layout as the kernel's `struct epoll_event`.
typedef struct __attribute__((packed)) {
  uint32_t events;
  uint64_t token;
} tw_event;

int tw_epoll_create(void);
int tw_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int tw_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int tw_epoll_remove(int epoll, int fd);
int tw_epoll_wait(int epoll, tw_event *events, int capacity, int timeout_ms);

// Wake-ups and time -------------------------------------------------------------------------

int tw_eventfd(void);
int tw_eventfd_signal(int fd);
int tw_eventfd_clear(int fd);
int tw_timerfd(void);
/// Fires once at `deadline_ns` on CLOCK_MONOTONIC; 0 disarms.
int tw_timerfd_set(int fd, uint64_t deadline_ns);
int tw_timerfd_clear(int fd);
uint64_t tw_monotonic_ns(void);
/// CPU time of the calling thread.
uint64_t tw_thread_cpu_ns(void);
/// CPU time of the whole process.
uint64_t tw_process_cpu_ns(void);
/// Makes the calling thread's timers precise (slack 1 ns instead of 50 us).
int tw_precise_timers(void);

// Sockets -----------------------------------------------------------------------------------

/// An address of either family, with the length the kernel wants.
typedef struct {
  uint8_t bytes[128];
  uint32_t length;
} tw_address;

/// Parses a numeric IPv4 or IPv6 address. Returns 0, or -EINVAL when it is none.
int tw_address_parse(const char *host, uint16_t port, tw_address *out);
/// Writes "1.2.3.4" or "::1" into `out` (64 bytes) and returns the port.
int tw_address_print(const tw_address *address, char *out);
/// Resolves a name (blocking). Returns the number of addresses written, or -1000 - EAI code.
int tw_resolve(const char *host, uint16_t port, tw_address *out, int capacity);
const char *tw_resolve_error(int code);

/// A negative backlog binds the address and does not listen.
int tw_listen(const tw_address *address, int backlog, int only_v6);
/// Accepts a non-blocking, close-on-exec socket with TCP_NODELAY set.
int tw_accept(int listener);
/// Starts a non-blocking connect. Returns the descriptor; connection may still be in progress.
int tw_connect(const tw_address *address, const tw_address *source, int maximum_segment,
               int receive_buffer);
/// The pending error of a socket, as a positive errno, or 0.
int tw_socket_error(int fd);
int tw_local_address(int fd, tw_address *out);
int tw_peer_address(int fd, tw_address *out);
ssize_t tw_recv(int fd, void *buffer, size_t capacity);
ssize_t tw_send(int fd, const void *bytes, size_t count);
/// Sends two runs of bytes, one behind the other.
ssize_t tw_send_two(int fd, const void *first, size_t first_count, const void *second,
                    size_t second_count);
int tw_shutdown_write(int fd);
/// Makes close() send a reset.
int tw_reset_on_close(int fd);
int tw_set_maximum_segment(int fd, int bytes);
int tw_set_congestion_control(int fd, const char *name);
int tw_get_congestion_control(int fd, char *out, int capacity);
int tw_set_buffer_sizes(int fd, int receive, int send);
int tw_open_null(void);

/// What the kernel counted for one TCP connection (`struct tcp_info` at its full length).
/// Fields that the running kernel does not report are zero; `length` says how much it reported.
typedef struct {
  uint32_t length;
  uint32_t state;
  uint32_t send_mss;
  uint32_t receive_mss;
  uint32_t rtt_us;
  uint32_t congestion_window;
  uint32_t total_retransmits;
  uint32_t segments_out;
  uint32_t segments_in;
  uint32_t data_segments_out;
  uint32_t data_segments_in;
  uint32_t not_sent_bytes;
  uint32_t min_rtt_us;
  uint64_t bytes_acked;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  uint64_t bytes_retransmitted;
} tw_tcp_info;

int tw_read_tcp_info(int fd, tw_tcp_info *out);

// Threads, processes, signals ---------------------------------------------------------------

int tw_thread_id(void);
int tw_cpu_count(void);
int tw_pin_thread(int cpu);
/// Keeps a core from going idle with work of the lowest priority, until standard input is closed or
/// so many seconds are over; -errno when that cannot be had. A line end on standard output says that
/// it has begun.
int tw_keep_core_awake(int cpu, int seconds);
int tw_thread_name(const char *name);
/// Blocks every signal for the calling thread, so that the program's own threads take them.
void tw_block_signals(void);
/// Blocks SIGINT and SIGTERM for this thread and those it starts, ignores SIGPIPE, and returns
/// a descriptor that becomes readable when one arrives.
int tw_signal_descriptor(void);
/// The signal that arrived, or 0 when none is waiting.
int tw_signal_next(int fd);
/// The soft limit of open descriptors, raised to the hard limit first.
int tw_raise_descriptor_limit(void);
/// The soft limit of open descriptors.
int tw_descriptor_limit(void);
/// Starts a program with a group of its own, no descriptors but these three (-1 is /dev/null), and
/// all signals as they are by default; `folder` may be null.
int tw_spawn(const char *path, char *const *arguments, const char *folder, int input, int output,
             int complaint, int *identifier);
/// A pipe whose ends no other program inherits.
int tw_pipe(int *reading, int *writing);
/// Waits until a child is gone: its status, 128 and the signal that ended it, or a negative `errno`.
int tw_wait_for(int identifier);
/// Gives freed heap memory back to the system.
void tw_trim_heap(void);
/// How much freed memory at the end of each heap stays with the process, and the least block that
/// is mapped apart; at most 32 MiB.
void tw_keep_freed_memory(size_t bytes);
