// Answers every PUT with 201, a fixed time after it came, on any number of connections with one thread.
//
//   slow_server MILLISECONDS
//
// Prints its port (on 127.0.0.1) and works until it is killed. Every answer tells a limit of a million in ten seconds, counted
// truly: to a server that tells none, keyreg sends few requests at a time. Since the time is fixed, answers are due in the order in which
// requests came: a queue is all that it keeps. A client sends one request at a time on a connection, without a body.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, REQUEST = 4096, ID = 36, LIMIT = 1000000, PERIOD = 10 };

static struct {
  char bytes[REQUEST];
  size_t length;
  int isWaiting, isGone;  // A request without its answer; the client has left meanwhile.
} connections[CONNECTIONS];
static struct { int64_t due; int socket; } queue[CONNECTIONS];  // A ring: at most one request a connection.
static size_t first, last;
static int64_t window;  // The number of the present one,
static int sent;        // and what was answered in it.

static int64_t now(void) {  // Nanoseconds.
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void answer(int socket) {
  char body[128], reply[1024];
  int64_t second = now() / 1000000000;
  if (second / PERIOD != window) sent = 0;
  window = second / PERIOD;
  sent++;
  const char *slash = strstr(connections[socket].bytes, "app_key_registrations/");
  int length = snprintf(
    body, sizeof body, "{\"data\":{\"id\":\"%.*s\",\"type\":\"app_key_registration\"}}", ID, slash ? strchr(slash, '/') + 1 : "");
  length = snprintf(
    reply, sizeof reply,
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-RateLimit-Limit: %d\r\n"
    "X-RateLimit-Period: %d\r\nX-RateLimit-Remaining: %d\r\nX-RateLimit-Reset: %d\r\n"
    "X-RateLimit-Name: app_key_registrations\r\n\r\n%s",
    length, LIMIT, PERIOD, LIMIT - sent, (int)(PERIOD - second % PERIOD), body);
  connections[socket].length = connections[socket].isWaiting = 0;
  if (connections[socket].isGone) close(socket);
  else if (write(socket, reply, length) != length) perror("write");
}

static void receive(int socket, int64_t delay) {
  char *bytes = connections[socket].bytes;
  ssize_t got = read(socket, bytes + connections[socket].length, REQUEST - 1 - connections[socket].length);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    if (!connections[socket].isWaiting) { close(socket); return; }
    connections[socket].isGone = 1;  // The number must not be used again before the answer is due.
    shutdown(socket, SHUT_RDWR);
    return;
  }
  connections[socket].length += got;
  bytes[connections[socket].length] = 0;
  if (connections[socket].isWaiting || !strstr(bytes, "\r\n\r\n")) return;
  connections[socket].isWaiting = 1;
  queue[last].due = now() + delay;
  queue[last].socket = socket;
  last = (last + 1) % CONNECTIONS;
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  int64_t delay = atoll(argv[1]) * 1000000;
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)) { perror("listen"); return 1; }
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    while (first != last && queue[first].due <= now()) {
      answer(queue[first].socket);
      first = (first + 1) % CONNECTIONS;
    }
    int64_t wait = first == last ? 0 : queue[first].due - now();
    if (wait < 0) wait = 0;
    struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    int ready = epoll_pwait2(poll, events, 256, first == last ? NULL : &timeout, NULL);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd != listener) { receive(events[i].data.fd, delay); continue; }
      int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (socket < 0) continue;
      if (socket >= CONNECTIONS) { close(socket); continue; }
      memset(&connections[socket], 0, sizeof connections[socket]);
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      event.data.fd = socket;
      epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
    }
  }
}
