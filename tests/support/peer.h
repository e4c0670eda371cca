/* peer.h: an HTTP client that sends the bytes it is told to, however wrong they are.
 *
 * While it sends, it takes in what comes, so that neither side waits for the other. What it waits
 * for in vain for 20 seconds fails the test. */
#ifndef PEER_H
#define PEER_H

#include "fn/bytes.h"

struct peer;

struct answer {
	int status;
	struct fn_bytes head, body; /* both live until the peer is closed */
};

struct peer *peer_connect(unsigned port);                         /* to 127.0.0.1 */
struct peer *peer_connect_to(const char *address, unsigned port); /* NULL where refused */
void peer_close(struct peer *);

void peer_send(struct peer *, struct fn_bytes);
void peer_sends(struct peer *, const char *text);
void peer_finish(struct peer *); /* sends no more */
void peer_reset(struct peer *);  /* the next close is a TCP reset */

/* The next answer; its body has its Content-Length. False where the connection ends before it. */
bool peer_read(struct peer *, struct answer *);
/* The same for one whose head alone is sent: the answer to HEAD, 100 Continue. */
bool peer_read_head(struct peer *, struct answer *);
/* Waits for the end of the connection; true where it ends in order and with nothing unread. */
bool peer_ended(struct peer *);
/* Waits until the other side has ended the connection, and takes nothing of what has come. */
void peer_is_given_up(struct peer *);
/* Whether nothing has come in for so long. */
bool peer_is_silent(struct peer *, int ms);
/* Takes in what comes until so many bytes are here to be read; false where it ends before, or
 * nothing more comes for so long. */
bool peer_takes(struct peer *, size_t size, int ms);

/* Sends one request and reads its answer, whose status it returns. */
int peer_ask(struct peer *, const char *text, struct answer *);

struct fn_bytes answer_header(const struct answer *, const char *name); /* empty: absent */

#endif
