#define _GNU_SOURCE
#include "clinux.h"

#include <limits.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(tw_event) == sizeof(struct epoll_event), "epoll_event layout");

static int result(int value) { return value < 0 ? -errno : value; }

// epoll -------------------------------------------------------------------------------------

int tw_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int epoll_change(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return result(epoll_ctl(epoll, operation, fd, &event));
}

int tw_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
  return epoll_change(epoll, EPOLL_CTL_ADD, fd, events, token);
}

int tw_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
  return epoll_change(epoll, EPOLL_CTL_MOD, fd, events, token);
}

int tw_epoll_remove(int epoll, int fd) { return epoll_change(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int tw_epoll_wait(int epoll, tw_event *events, int capacity, int timeout_ms) {
  int count = epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout_ms);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  return count;
}

// Wake-ups and time -------------------------------------------------------------------------

int tw_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int tw_eventfd_signal(int fd) {
  uint64_t one = 1;
  return write(fd, &one, sizeof one) < 0 ? -errno : 0;
}

int tw_eventfd_clear(int fd) {
  uint64_t count;
  return read(fd, &count, sizeof count) < 0 ? -errno : 0;
}

int tw_timerfd(void) {
  return result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int tw_timerfd_set(int fd, uint64_t deadline_ns) {
  struct itimerspec spec = {0};
  spec.it_value.tv_sec = deadline_ns / 1000000000ull;
  spec.it_value.tv_nsec = deadline_ns % 1000000000ull;
  return result(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
}

int tw_timerfd_clear(int fd) { return tw_eventfd_clear(fd); }

static uint64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

uint64_t tw_monotonic_ns(void) { return read_clock(CLOCK_MONOTONIC); }
uint64_t tw_thread_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
uint64_t tw_process_cpu_ns(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
int tw_precise_timers(void) { return result(prctl(PR_SET_TIMERSLACK, 1ul, 0, 0, 0)); }

// Sockets -----------------------------------------------------------------------------------

int tw_address_parse(const char *host, uint16_t port, tw_address *out) {
  memset(out, 0, sizeof *out);
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
    memcpy(out->bytes, &v4, sizeof v4);
    out->length = sizeof v4;
    return 0;
  }
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
    memcpy(out->bytes, &v6, sizeof v6);
    out->length = sizeof v6;
    return 0;
  }
  return -EINVAL;
}

int tw_address_print(const tw_address *address, char *out) {
  const struct sockaddr *any = (const struct sockaddr *)address->bytes;
  out[0] = 0;
  if (any->sa_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address->bytes;
    inet_ntop(AF_INET, &v4->sin_addr, out, 64);
    return ntohs(v4->sin_port);
  }
  if (any->sa_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address->bytes;
    inet_ntop(AF_INET6, &v6->sin6_addr, out, 64);
    return ntohs(v6->sin6_port);
  }
  return -EINVAL;
}

int tw_resolve(const char *host, uint16_t port, tw_address *out, int capacity) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  int code = getaddrinfo(host, service, &hints, &list);
  if (code != 0) return -1000 + code;
  int count = 0;
  for (struct addrinfo *each = list; each && count < capacity; each = each->ai_next) {
    if (each->ai_addrlen > sizeof out[count].bytes) continue;
    memset(&out[count], 0, sizeof out[count]);
    memcpy(out[count].bytes, each->ai_addr, each->ai_addrlen);
    out[count].length = each->ai_addrlen;
    count++;
  }
  freeaddrinfo(list);
  return count;
}

const char *tw_resolve_error(int code) { return gai_strerror(code + 1000); }

static int set_integer(int fd, int level, int option, int value) {
  return result(setsockopt(fd, level, option, &value, sizeof value));
}

static int open_socket(const tw_address *address) {
  const struct sockaddr *any = (const struct sockaddr *)address->bytes;
  return socket(any->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int fail(int fd) {
  int error = errno;
  close(fd);
  return -error;
}

int tw_listen(const tw_address *address, int backlog, int only_v6) {
  int fd = open_socket(address);
  if (fd < 0) return -errno;
  set_integer(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (((const struct sockaddr *)address->bytes)->sa_family == AF_INET6)
    set_integer(fd, IPPROTO_IPV6, IPV6_V6ONLY, only_v6);
  if (bind(fd, (const struct sockaddr *)address->bytes, address->length) < 0) return fail(fd);
  if (backlog >= 0 && listen(fd, backlog) < 0) return fail(fd);
  return fd;
}

int tw_accept(int listener) {
  int fd;
  do fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return -errno;
  set_integer(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

int tw_connect(const tw_address *address, const tw_address *source, int maximum_segment,
               int receive_buffer) {
  int fd = open_socket(address);
  if (fd < 0) return -errno;
  set_integer(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (maximum_segment > 0) set_integer(fd, IPPROTO_TCP, TCP_MAXSEG, maximum_segment);
  // Before connecting, as the window that is offered depends on it.
  if (receive_buffer > 0) set_integer(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  if (source && source->length > 0) {
    // The port is chosen at connect time, so that one source port may serve many destinations.
    set_integer(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, 1);
    if (bind(fd, (const struct sockaddr *)source->bytes, source->length) < 0) return fail(fd);
  }
  int status;
  do status = connect(fd, (const struct sockaddr *)address->bytes, address->length);
  while (status < 0 && errno == EINTR);
  if (status < 0 && errno != EINPROGRESS) return fail(fd);
  return fd;
}

int tw_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return errno;
  return error;
}

int tw_local_address(int fd, tw_address *out) {
  socklen_t length = sizeof out->bytes;
  int status = getsockname(fd, (struct sockaddr *)out->bytes, &length);
  out->length = length;
  return result(status);
}

int tw_peer_address(int fd, tw_address *out) {
  socklen_t length = sizeof out->bytes;
  int status = getpeername(fd, (struct sockaddr *)out->bytes, &length);
  out->length = length;
  return result(status);
}

// glibc's recv and send are cancellation points, which costs each call two atomic operations in a
// process of several threads; nobody cancels a loop.
ssize_t tw_recv(int fd, void *buffer, size_t capacity) {
  ssize_t count;
  do count = syscall(SYS_recvfrom, fd, buffer, capacity, 0, NULL, NULL);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

ssize_t tw_send(int fd, const void *bytes, size_t count) {
  ssize_t sent;
  do sent = syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, 0);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

ssize_t tw_send_two(int fd, const void *first, size_t first_count, const void *second,
                    size_t second_count) {
  struct iovec parts[2] = {{(void *)first, first_count}, {(void *)second, second_count}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  ssize_t sent;
  do sent = syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

int tw_shutdown_write(int fd) { return result(shutdown(fd, SHUT_WR)); }

int tw_reset_on_close(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

int tw_set_maximum_segment(int fd, int bytes) {
  return set_integer(fd, IPPROTO_TCP, TCP_MAXSEG, bytes);
}

int tw_set_congestion_control(int fd, const char *name) {
  return result(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)));
}

int tw_get_congestion_control(int fd, char *out, int capacity) {
  socklen_t length = (socklen_t)capacity;
  return result(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out, &length));
}

int tw_set_buffer_sizes(int fd, int receive, int send) {
  int status = 0;
  if (receive > 0) status = set_integer(fd, SOL_SOCKET, SO_RCVBUF, receive);
  if (status == 0 && send > 0) status = set_integer(fd, SOL_SOCKET, SO_SNDBUF, send);
  return status;
}

int tw_open_null(void) { return result(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Offsets of the kernel's struct tcp_info, which grows with each version and is never reordered.
// The header of the build machine may be older than the running kernel, so it is not used.
static uint32_t field32(const uint8_t *info, socklen_t length, size_t offset) {
  uint32_t value = 0;
  if (offset + sizeof value <= length) memcpy(&value, info + offset, sizeof value);
  return value;
}

static uint64_t field64(const uint8_t *info, socklen_t length, size_t offset) {
  uint64_t value = 0;
  if (offset + sizeof value <= length) memcpy(&value, info + offset, sizeof value);
  return value;
}

int tw_read_tcp_info(int fd, tw_tcp_info *out) {
  uint8_t info[512] = {0};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) < 0) return -errno;
  out->length = length;
  out->state = info[0];
  out->send_mss = field32(info, length, 16);
  out->receive_mss = field32(info, length, 20);
  out->rtt_us = field32(info, length, 68);
  out->congestion_window = field32(info, length, 80);
  out->total_retransmits = field32(info, length, 100);
  out->bytes_acked = field64(info, length, 120);
  out->bytes_received = field64(info, length, 128);
  out->segments_out = field32(info, length, 136);
  out->segments_in = field32(info, length, 140);
  out->not_sent_bytes = field32(info, length, 144);
  out->min_rtt_us = field32(info, length, 148);
  out->data_segments_in = field32(info, length, 152);
  out->data_segments_out = field32(info, length, 156);
  out->bytes_sent = field64(info, length, 200);
  out->bytes_retransmitted = field64(info, length, 208);
  return 0;
}

// Threads, processes, signals ---------------------------------------------------------------

int tw_thread_id(void) { return (int)syscall(SYS_gettid); }

int tw_cpu_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0) return (int)sysconf(_SC_NPROCESSORS_ONLN);
  return CPU_COUNT(&set);
}

int tw_pin_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return result(sched_setaffinity(0, sizeof set, &set));
}

int tw_keep_core_awake(int cpu, int seconds) {
  int status = tw_pin_thread(cpu);
  if (status < 0) return status;
  // The shortest slice there is, where the kernel takes one (Linux 6.12): what does not give way at
  // once to the kernel's own threads does so sooner. Asked for first, since the lowest priority keeps it.
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline, period;
  } shortest = {.size = sizeof shortest, .policy = SCHED_OTHER, .nice = 19, .slice_ns = 100000};
  (void)syscall(SYS_sched_setattr, 0, &shortest, 0);
  // Whoever else of the session is ready to run takes the core at once. A session of its own would not
  // do: then it is a session that has to give way, and that takes up to a millisecond.
  const struct sched_param lowest = {.sched_priority = 0};
  if (sched_setscheduler(0, SCHED_IDLE, &lowest) < 0) return -errno;
  if (write(1, "\n", 1) != 1) return -errno;
  const uint64_t end = tw_monotonic_ns() + (uint64_t)seconds * 1000000000;
  struct pollfd input = {.fd = 0, .events = POLLIN};
  while (tw_monotonic_ns() < end) {
    // Nothing is ever written: that it is readable means that it was closed.
    const int ready = poll(&input, 1, 0);
    if (ready > 0 || (ready < 0 && errno != EINTR)) break;
    // About a millisecond.
    for (int turn = 0; turn < 20000; turn++) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#else
      __asm__ volatile("yield");
#endif
    }
  }
  return 0;
}

int tw_thread_name(const char *name) { return -pthread_setname_np(pthread_self(), name); }

void tw_block_signals(void) {
  sigset_t set;
  sigfillset(&set);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int tw_signal_descriptor(void) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error) return -error;
  return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int tw_signal_next(int fd) {
  struct signalfd_siginfo info;
  if (read(fd, &info, sizeof info) != sizeof info) return 0;
  return (int)info.ssi_signo;
}

int tw_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return (int)limit.rlim_cur;
}

int tw_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX) return INT_MAX;
  return (int)limit.rlim_cur;
}

int tw_spawn(const char *path, char *const *arguments, const char *folder, int input, int output,
             int complaint, int *identifier) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return -error;
  error = posix_spawnattr_init(&attributes);
  if (error) {
    posix_spawn_file_actions_destroy(&actions);
    return -error;
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  // A group of its own: what a terminal sends to ours is for us to pass on.
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  const int wanted[3] = {input, output, complaint};
  // One that is in its place already is put there all the same, which lets the program inherit it.
  for (int place = 0; place < 3 && !error; place++) {
    error = wanted[place] >= 0
                ? posix_spawn_file_actions_adddup2(&actions, wanted[place], place)
                : posix_spawn_file_actions_addopen(&actions, place, "/dev/null", O_RDWR, 0);
  }
  if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!error && folder) error = posix_spawn_file_actions_addchdir_np(&actions, folder);
  if (!error) error = posix_spawn(identifier, path, &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return -error;
}

int tw_pipe(int *reading, int *writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  *reading = ends[0];
  *writing = ends[1];
  return 0;
}

int tw_wait_for(int identifier) {
  int status;
  pid_t ended;
  do ended = waitpid(identifier, &status, 0);
  while (ended < 0 && errno == EINTR);
  if (ended < 0) return -errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void tw_trim_heap(void) { malloc_trim(0); }

void tw_keep_freed_memory(size_t bytes) {
  // Setting one of them ends glibc's own adjusting of both.
  mallopt(M_MMAP_THRESHOLD, (int)bytes);
  mallopt(M_TRIM_THRESHOLD, (int)bytes);
}
