/* led_server.h: the runtime's server inside the test, whose handlers the test leads by the hand.
 *
 *	/echo          answers with the body
 *	/wait          says that it has begun, and waits until it is released
 *	/drip          the same, and streams its answer
 *	/gone          waits until it sees that nobody waits for it any more
 *	/stream        says that it has begun, and streams until nobody takes it any more
 *	/large?size=N  answers N bytes, of which the nth is n modulo 251
 *	/fail?code=N   fails with a code of enum fn_code, and with headers set
 *	/status?of=N   answers with the status, and an ETag; without `of` with nothing at all
 *	/ignored       is not called
 *	all others     describe the request: "GET|/path|query|Name=value;...|body" */
#ifndef LED_SERVER_H
#define LED_SERVER_H

#include "server.h"
#include "tests/support/peer.h"
#include "tests/support/suite.h"

#include <stdatomic.h>

#define HOST "Host: h\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(headers) "POST /echo HTTP/1.1\r\n" HOST headers "\r\n"
#define BODY_MOST 100000

extern struct server_options led_options;

/* Runs all cases in each way that calls can be shared out between the loop and its followers; see
 * pool.h. */
int led_suite_run(const char *name, const struct suite_case *, size_t count);

/* Options with which nothing that a test does not mean can happen... */
void led_server_defaults(void);
/* ...and a server that has them; or one with what the test has made of them. */
void led_server_start_default(void);
void led_server_start(void);

void led_server_signal(void); /* tells it to stop, as the platform does */
bool led_server_end(void);    /* waits until it has: what server_run returned */
void led_server_stop(void);   /* both, and it must have finished what it had begun */

extern atomic_uint led_calls, led_running, led_most_running;

void led_wait_until_begun(unsigned count); /* so many calls more of /wait, /gone, /stream */
void led_release(unsigned count);          /* so many calls of /wait */

struct peer *led_peer(void);             /* a client that has connected */
struct peer *led_busy_peer(void);        /* one whose call of /wait has begun */
void led_assert_released(struct peer *); /* such a call is answered */
/* The next answer is this refusal, and the last one. */
void led_assert_refused(struct peer *, int status);
void led_assert_works(struct peer *);
void led_assert_others_work(void);

#endif
