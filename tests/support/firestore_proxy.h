/* firestore_proxy.h: stands between a store and the emulator of Firestore, counts what is asked,
 * and does what networks and busy servers do. It serves one request after the other on a free port
 * of 127.0.0.1; its thread does not survive a fork. A setup that fails aborts. */
#ifndef FIRESTORE_PROXY_H
#define FIRESTORE_PROXY_H

#include <stddef.h>

struct firestore_proxy;

enum proxy_fault {
	PROXY_PASS,
	PROXY_LOSE_REQUEST, /* the connection breaks before anything is done */
	PROXY_LOSE_ANSWER,  /* and after all is done */
	PROXY_CONTEND,      /* 409 ABORTED */
	PROXY_EXHAUST,      /* 429 RESOURCE_EXHAUSTED */
	PROXY_UNAVAILABLE,  /* 503 UNAVAILABLE */
	PROXY_GATEWAY,      /* 502, of something that is not Firestore */
	PROXY_FORBID,       /* 403 PERMISSION_DENIED */
};

struct firestore_proxy *firestore_proxy_start(const char *host); /* of the emulator */
void firestore_proxy_stop(struct firestore_proxy *);             /* NULL is fine */
const char *firestore_proxy_host(const struct firestore_proxy *);

/* What happens to the requests to come, and to all behind them what happens to the last; borrowed.
 * Counting begins anew. */
void firestore_proxy_play(struct firestore_proxy *, const enum proxy_fault *, size_t count);

size_t firestore_proxy_requests(struct firestore_proxy *);

/* From now on `step` is called, by the proxy's thread, before a request is passed on and before its
 * answer is. */
void firestore_proxy_watch(struct firestore_proxy *, void (*step)(void));

#endif
