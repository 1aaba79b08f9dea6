/* The two loops of a batched call: send every request, receive every response. See batch_io.py.

Every event that is not exactly the expected response of a player that was asked (an error, the end of a connection,
another peer) ends the loop and is left to Python, which finds the connection as if this file did not exist. Memory is
written at `response` alone, at most `response_size` bytes. */

#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define EVENTS 64
#define DIGITS 7

/* One player's call; the same fields in the same order as _CALL in batch_io.py. */
struct call {
    int64_t descriptor;
    const uint8_t *request;
    uint64_t request_size;
    uint8_t *response;      /* memory for the frame headers and the payload */
    uint64_t response_size;
    const uint8_t *header;  /* expected beginning of the response */
    uint64_t header_size;
    uint8_t *request_id;    /* position of the id in the request, and in the header */
    uint8_t *header_id;
    uint64_t sent;
    uint64_t received;
    int64_t outstanding;    /* id of the call whose response is outstanding; 0: none */
};

/* Sends the requests of `count` players in the call `id`, `digits` as text; returns the number of requests that the kernel did not take completely. */
int32_t send_requests(struct call *calls, const int64_t *players, int32_t count, int64_t id, const char *digits)
{
    int32_t unsent = 0;
    for (int32_t i = 0; i < count; i++) {
        struct call *call = &calls[players[i]];
        memcpy(call->request_id, digits, DIGITS);
        memcpy(call->header_id, digits, DIGITS);
        ssize_t size = send((int)call->descriptor, call->request, call->request_size, MSG_DONTWAIT | MSG_NOSIGNAL);
        call->sent = size < 0 ? 0 : (uint64_t)size;
        call->received = 0;
        call->outstanding = id;
        unsent += call->sent != call->request_size;
    }
    return unsent;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Receives the bytes that have come of one response; 1: it is complete, 0: more is outstanding, -1: left to Python. */
static int receive_response(struct call *call, int32_t quickack)
{
    int descriptor = (int)call->descriptor, on = 1;
    ssize_t size = recv(descriptor, call->response + call->received, call->response_size - call->received, MSG_DONTWAIT);
    if (size <= 0)
        return -1;
    call->received += (uint64_t)size;
    if (memcmp(call->response, call->header, call->received < call->header_size ? call->received : call->header_size))
        return -1;
    if (call->received == call->response_size)
        return 1;
    /* The rest may be held back until this much is acknowledged, see socket_options.acknowledge. */
    if (quickack >= 0)
        setsockopt(descriptor, IPPROTO_TCP, quickack, &on, sizeof on);
    return 0;
}

/* Receives the responses of `count` players in the call `id`, waiting at most `timeout` s for all.

Returns the number of complete responses; `arrived` has their players in order of arrival, `moments` the times in s on the
monotonic clock. `by_descriptor` maps descriptors to players; `quickack` is the number of the socket option, or -1. */
int32_t receive_responses(int32_t epoll, struct call *calls, const int32_t *by_descriptor, int32_t descriptors,
                          int32_t count, int64_t id, double timeout, int32_t quickack, int64_t *arrived,
                          double *moments)
{
    struct epoll_event events[EVENTS];
    int32_t whole = 0, others = 0;
    double deadline = now() + timeout, remaining;
    while (whole < count && !others && (remaining = deadline - now()) > 0) {
        int ready = epoll_wait(epoll, events, EVENTS, (int)(1e3 * remaining) + 1);
        if (ready <= 0)
            break;
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            int32_t player = descriptor < descriptors ? by_descriptor[descriptor] : -1;
            struct call *call = player < 0 ? NULL : &calls[player];
            int outcome = -1;
            if (call && call->outstanding == id && call->descriptor == descriptor && events[i].events == EPOLLIN)
                outcome = receive_response(call, quickack);
            others |= outcome < 0;
            if (outcome == 1) {
                call->outstanding = 0;
                moments[whole] = now();
                arrived[whole++] = player;
            }
        }
    }
    return whole;
}
