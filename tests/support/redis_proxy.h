/* redis_proxy.h: stands between a client and a Redis server, command by command, and does what
 * networks and failing servers do. It listens on a free port of 127.0.0.1; its threads do not
 * survive a fork. A setup that fails aborts. */
#ifndef REDIS_PROXY_H
#define REDIS_PROXY_H

struct redis_proxy;

struct redis_proxy *redis_proxy_start(unsigned server_port);
void redis_proxy_stop(struct redis_proxy *); /* NULL is fine */
const char *redis_proxy_url(const struct redis_proxy *);

/* From now on the reply to every n-th command is lost with its connection, after the server has
 * carried the command out; 0: none. */
void redis_proxy_drop_every(struct redis_proxy *, int n);

/* The next script is not passed on but answered with this line, "-READONLY ...". Borrowed. */
void redis_proxy_answer(struct redis_proxy *, const char *line);

/* Commands are swallowed, and their connections stay open. */
void redis_proxy_stall(struct redis_proxy *, int stalls);

/* Where new connections lead. */
void redis_proxy_lead_to(struct redis_proxy *, unsigned server_port);

#endif
