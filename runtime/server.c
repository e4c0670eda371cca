#include "server.h"

#include "connection.h"
#include "fn/clock.h"
#include "listen.h"
#include "pool.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define SWEEP_MS 500     /* how often timeouts are looked for... */
#define DRAIN_TICK_MS 10 /* ...and how often while stopping */
#define HEAD_MS 60000    /* from the first byte of a head to its last */
#define BODY_MS 30000    /* without a byte of the body */
#define WRITE_MS 60000   /* without a byte taken of the answer */
#define IDLE_MS 650000   /* longer than the platform's own 620 s, so that it closes first */
#define LINGER_MS 2000
#define DRAIN_MS 8000  /* of the 10 s that the platform gives */
#define GREETING_MS 50 /* while stopping: how long a new connection may still speak up */
#define SPARE_FDS 64   /* for all else but connections */

struct server {
	const struct server_options *options;
	int epoll, listener, wake, signals;
	struct pool *pool;
	struct connection *connections; /* a list */
	size_t connection_count, connections_most;
	bool accepting;
	int64_t swept_ms;
	atomic_bool draining;
	int64_t draining_since_ms;
	_Atomic(struct connection *) returned; /* a stack, pushed to by handlers */
	char scratch[CONNECTION_SCRATCH];
};

/* ---- Connections ------------------------------------------------------------------------- */

static void
drop_connection(struct server *server, struct connection *connection)
{
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	server->connection_count--;
	connection_drop(connection);
}

static void
add_connection(struct server *server, int fd)
{
	struct connection *connection = connection_new(fd);
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
	int yes = 1;

	if (!connection) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	server->connection_count++;
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		drop_connection(server, connection);
}

/* The listener is level-triggered, so while there is no room for another connection it must not
 * be listened to at all. */
static void
set_accepting(struct server *server, bool accepting)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->listener};

	if (server->accepting == accepting || server->listener < 0)
		return;
	epoll_ctl(
		server->epoll, accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, server->listener, &event);
	server->accepting = accepting;
}

static void
accept_connections(struct server *server)
{
	while (server->connection_count < server->connections_most) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			add_connection(server, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			fn_log(NULL, FN_WARNING, "no new connections for now: %s", strerror(errno));
			set_accepting(server, false); /* until the next sweep */
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
	set_accepting(server, false);
}

/* ---- Requests ---------------------------------------------------------------------------- */

/* False where the exchange has its answer already: no handler was to be had. */
static bool
dispatch(struct server *server, struct connection *connection)
{
	int64_t deadline_ms = fn_now_ms() + server->options->request_timeout_ms;

	connection->exchange->call.deadline_ms = deadline_ms;
	connection_lend(connection, deadline_ms);
	if (pool_add(server->pool, connection->exchange))
		return true;
	connection_take_back(connection);
	connection_refuse(connection, 503, "Too busy right now. Please try again in a moment.", 1);
	return false;
}

/* Goes on with a connection as far as it goes without waiting; false when it has ended. */
static bool
on_connection(struct server *server, struct connection *connection)
{
	enum connection_result result = CONNECTION_DONE;

	while (result != CONNECTION_BLOCKED && result != CONNECTION_CLOSED) {
		switch (connection->phase) {
		case CONNECTION_READING:
			result = connection_read(
				connection, server->scratch, server->options->body_limit);
			if (result == CONNECTION_REQUEST && dispatch(server, connection))
				return true;
			break;
		case CONNECTION_WRITING:
			result = connection_write(connection);
			if (result == CONNECTION_DONE)
				connection_next(connection);
			break;
		case CONNECTION_LINGERING:
			result = connection_linger(connection, server->scratch);
			break;
		case CONNECTION_OVER:
			result = CONNECTION_CLOSED;
			break;
		}
	}
	if (result == CONNECTION_CLOSED)
		drop_connection(server, connection);
	return result != CONNECTION_CLOSED;
}

static void
on_event(struct server *server, struct connection *connection, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		atomic_store(&connection->hung_up, true);
	if (!connection_is_lent(connection))
		on_connection(server, connection);
}

/* ---- On a handler's thread --------------------------------------------------------------- */

static void
give_back(struct server *server, struct connection *connection)
{
	struct connection *top = atomic_load(&server->returned);
	uint64_t one = 1;

	do
		connection->next_returned = top;
	while (!atomic_compare_exchange_weak(&server->returned, &top, connection));
	if (!top)
		(void)!write(server->wake, &one, sizeof(one));
}

/* Writes the answer; what the socket does not take at once is left to the loop. */
static void
answer(struct server *server, struct connection *connection)
{
	if (!connection_claim_answer(connection)) {
		exchange_drop(connection->exchange); /* the loop has answered in our place */
		connection->exchange = NULL;
		connection->phase = CONNECTION_LINGERING;
		return;
	}
	if (atomic_load(&server->draining))
		connection->exchange->close = true;
	exchange_compose(connection->exchange);
	switch (connection_write(connection)) {
	case CONNECTION_DONE:
		connection_next(connection);
		break;
	case CONNECTION_BLOCKED:
		connection->phase = CONNECTION_WRITING;
		break;
	default:
		connection->phase = CONNECTION_OVER;
		break;
	}
}

static void
handle(struct fn_exchange *exchange, void *with)
{
	struct server *server = with;
	struct connection *connection = exchange->connection;

	exchange_run(exchange, server->options->handler, server->options->with);
	answer(server, connection);
	if (connection->phase != CONNECTION_READING || !connection_return(connection))
		give_back(server, connection);
}

/* ---- Timeouts ---------------------------------------------------------------------------- */

/* The handler is still at work, and keeps the exchange; only the client is told. */
static void
expire(struct connection *connection)
{
	static const char body[] = "{\"type\":\"about:blank\",\"title\":\"Gateway Timeout\","
				   "\"status\":504,\"detail\":\"This took too long and was "
				   "given up. Please try again.\"}";
	char answer[512];
	int size;

	if (!connection_expire(connection))
		return;
	fn_log(NULL, FN_ERROR, "504: a handler had not ended by its deadline");
	size = snprintf(answer, sizeof(answer),
		"HTTP/1.1 504 Gateway Timeout\r\nContent-Type: application/problem+json\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		sizeof(body) - 1, body);
	(void)!send(connection->fd, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(connection->fd, SHUT_WR);
}

static bool
is_idle(const struct connection *connection)
{
	return connection->phase == CONNECTION_READING && !connection->exchange &&
	       connection->kept_size == 0;
}

/* How long this connection may stay as it is without progress. */
static int64_t
patience_ms(const struct server *server, const struct connection *connection)
{
	bool draining = atomic_load(&server->draining);

	if (is_idle(connection))
		return !draining ? IDLE_MS : connection->greeted ? 0 : GREETING_MS;
	switch (connection->phase) {
	case CONNECTION_READING:
		return connection->reading_body ? BODY_MS : HEAD_MS;
	case CONNECTION_WRITING:
		return WRITE_MS;
	default:
		return LINGER_MS;
	}
}

static void
sweep_connection(struct server *server, struct connection *connection, int64_t now_ms)
{
	if (atomic_load(&connection->holding)) {
		if (now_ms >= atomic_load(&connection->deadline_ms))
			expire(connection);
		return;
	}
	if (now_ms - connection->since_ms < patience_ms(server, connection))
		return;
	if (connection->phase == CONNECTION_READING && !is_idle(connection)) {
		connection_refuse(connection, 408, "The request took too long to arrive.", 0);
		on_connection(server, connection);
		return;
	}
	/* a request may just have come in over an idle connection: it is served first */
	if (connection->phase != CONNECTION_READING ||
		(on_connection(server, connection) && !atomic_load(&connection->holding) &&
			is_idle(connection)))
		drop_connection(server, connection);
}

static void
refuse_those_that_waited_too_long(struct server *server, int64_t now_ms)
{
	struct fn_exchange *exchange;

	while ((exchange = pool_take_stale(server->pool, now_ms - server->options->wait_ms))) {
		struct connection *connection = exchange->connection;

		connection_take_back(connection);
		connection_refuse(
			connection, 503, "Too busy right now. Please try again in a moment.", 1);
		on_connection(server, connection);
	}
}

static void
sweep(struct server *server, int64_t now_ms)
{
	struct connection *next;

	for (struct connection *at = server->connections; at; at = next) {
		next = at->next;
		sweep_connection(server, at, now_ms);
	}
	if (!atomic_load(&server->draining))
		set_accepting(server, server->connection_count < server->connections_most);
	server->swept_ms = now_ms;
}

/* ---- The loop ---------------------------------------------------------------------------- */

static void
take_back_returned(struct server *server)
{
	struct connection *connection = atomic_exchange(&server->returned, NULL), *next;

	for (; connection; connection = next) {
		next = connection->next_returned;
		connection_take_back(connection);
		on_connection(server, connection);
	}
}

/* From now on nothing new is begun. Who had already come to our door is let in before it closes. */
static void
begin_drain(struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (atomic_load(&server->draining))
		_exit(1);
	fn_log(NULL, FN_INFO, "stopping: finishing what has begun");
	accept_connections(server);
	set_accepting(server, false);
	close(server->listener);
	server->listener = -1;
	server->draining_since_ms = fn_now_ms();
	atomic_store(&server->draining, true);
	sweep(server, server->draining_since_ms);
}

static int
wait_ms(const struct server *server)
{
	int64_t left;

	if (atomic_load(&server->draining))
		return DRAIN_TICK_MS;
	if (!server->connections && server->accepting)
		return -1;
	left = server->swept_ms + SWEEP_MS - fn_now_ms();
	return left > 0 ? (int)left : 0;
}

static void
turn(struct server *server)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(server->epoll, events, EVENTS, wait_ms(server));
	bool accepting = false, signaled = false;
	uint64_t wakes;
	int64_t now_ms;

	/* connections first: what is done afterwards may end some of them */
	for (int i = 0; i < count; i++) {
		void *what = events[i].data.ptr;

		if (what == &server->listener)
			accepting = true;
		else if (what == &server->signals)
			signaled = true;
		else if (what == &server->wake)
			(void)!read(server->wake, &wakes, sizeof(wakes));
		else
			on_event(server, what, events[i].events);
	}
	take_back_returned(server);
	if (accepting)
		accept_connections(server);
	if (signaled)
		begin_drain(server);
	now_ms = fn_now_ms();
	if (now_ms - server->swept_ms >=
		(atomic_load(&server->draining) ? DRAIN_TICK_MS : SWEEP_MS)) {
		refuse_those_that_waited_too_long(server, now_ms);
		sweep(server, now_ms);
	}
}

bool
server_run(struct server *server)
{
	while (!atomic_load(&server->draining) ||
		(server->connections && fn_now_ms() - server->draining_since_ms < DRAIN_MS))
		turn(server);
	if (server->connections) {
		for (struct connection *at = server->connections; at; at = at->next)
			expire(at);
		return false;
	}
	pool_drop(server->pool);
	server->pool = NULL;
	return true;
}

/* ---- Opening and closing ----------------------------------------------------------------- */

/* As many connections as there are file descriptors, but for a few that handlers need. */
static size_t
connections_most(const struct server_options *options)
{
	struct rlimit limit;
	size_t spare = SPARE_FDS + 4 * (size_t)options->concurrency;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 512;
	limit.rlim_cur = limit.rlim_max < 25000 ? limit.rlim_max : 25000;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 2 * spare ? limit.rlim_cur - spare : limit.rlim_cur / 2;
}

static bool
watch(const struct server *server, int fd, void *tag)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

	return fd >= 0 && epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* SIGTERM and SIGINT arrive as events of the loop and nowhere else. */
static int
signals_as_events(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool
server_open(struct server **opened, const struct server_options *options, struct fn_error *err)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	server->options = options;
	server->listener = -1;
	server->connections_most = connections_most(options);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	server->signals = signals_as_events();
	server->pool =
		pool_new((size_t)options->concurrency, options->waiting_most, handle, server);
	if (!server->pool || server->epoll < 0 || !watch(server, server->wake, &server->wake) ||
		!watch(server, server->signals, &server->signals)) {
		server_close(server);
		return fn_fail(err, FN_INTERNAL, "server: %s", strerror(errno));
	}
	if (!listen_on(options->host, options->port, &server->listener, err)) {
		server_close(server);
		return false;
	}
	set_accepting(server, true);
	*opened = server;
	return true;
}

void
server_close(struct server *server)
{
	if (server->pool)
		pool_drop(server->pool);
	while (server->connections)
		drop_connection(server, server->connections);
	if (server->listener >= 0)
		close(server->listener);
	close(server->epoll);
	close(server->wake);
	close(server->signals);
	free(server);
}

/* ---- What a handler may ask -------------------------------------------------------------- */

bool
fn_client_gone(const struct fn_call *call)
{
	return call->exchange && atomic_load(&call->exchange->connection->hung_up);
}
