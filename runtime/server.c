#include "server.h"

#include "connection.h"
#include "fn/clock.h"
#include "listen.h"
#include "metrics.h"
#include "pool.h"
#include "stream_end.h"
#include "trace.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define STEPS_MOST 32      /* of one connection, before it is the others' turn */
#define SWEEP_MS 500       /* how often timeouts are looked for... */
#define HANG_UP_MS 1000    /* so long who has hung up keeps his place in the line */
#define DRAIN_TICK_MS 10   /* ...and how often while stopping */
#define GREETING_MS 50     /* while stopping: how long a new connection may still speak up... */
#define LAST_BYTES_MS 1000 /* ...and how long a request that has begun may stay incomplete */
#define FDS_MOST 25000     /* Cloud Run's own limit for an instance */
#define SPARE_FDS 64       /* for all else but connections */

static const char busy[] = "Too busy right now. Please try again in a moment.";
static const char too_slow[] = "This took too long and was given up. Please try again.";
static const char stopping[] = "This was given up, since the server stops. Please try again.";

const struct server_timeouts server_timeouts = {
	.head_ms = 60000,
	.body_ms = 30000,
	.write_ms = 60000,
	.idle_ms = 650000, /* longer than the platform's own 620 s, so that it closes first */
	.linger_ms = 2000,
	.drain_ms = 8000, /* of the platform's 10 s */
};

enum { PUBLIC, ADMIN, LISTENERS };

struct server {
	const struct server_options *options;
	int epoll, wake, signals;
	int listeners[LISTENERS]; /* -1: not listened to */
	struct metrics metrics;
	struct pool *pool;
	struct connection *connections; /* a list */
	size_t connection_count, connections_most;
	bool accepting;
	bool some_wait; /* for a handler that could be woken */
	int64_t swept_ms;
	atomic_bool draining;
	int64_t draining_since_ms;
	struct epoll_event events[EVENTS]; /* of this turn; those before event_at are dealt with */
	int event_count, event_at;
	int64_t turned_us;                     /* when they came */
	_Atomic(struct connection *) returned; /* a stack, pushed to by handlers */
	char *scratch;                         /* of CONNECTION_SCRATCH bytes, to read into */
};

/* ---- Connections ------------------------------------------------------------------------- */

static int
watch(const struct server *server, int operation, int fd, uint32_t events, void *tag)
{
	struct epoll_event event = {.events = events, .data.ptr = tag};

	return epoll_ctl(server->epoll, operation, fd, &event);
}

static int
watch_connection(const struct server *server, int operation, struct connection *connection)
{
	return watch(server, operation, connection->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		connection);
}

/* A listener is level-triggered, so while there is no room for another connection it must not be
 * listened to at all. */
static void
set_accepting(struct server *server, bool accepting)
{
	if (server->accepting == accepting)
		return;
	for (size_t i = 0; i < LISTENERS; i++) {
		if (server->listeners[i] >= 0)
			watch(server, accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
				server->listeners[i], EPOLLIN, &server->listeners[i]);
	}
	server->accepting = accepting;
}

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
	/* closing is not enough where a handler has just forked */
	watch_connection(server, EPOLL_CTL_DEL, connection);
	connection_drop(connection);
	set_accepting(server, true);
}

static void
add_connection(struct server *server, int fd, bool is_admin)
{
	struct connection *connection = connection_new(fd);
	int yes = 1;

	if (!connection) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	connection->is_admin = is_admin;
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	server->connection_count++;
	if (watch_connection(server, EPOLL_CTL_ADD, connection) != 0)
		drop_connection(server, connection);
}

/* False where there is no room for more. */
static bool
accept_from(struct server *server, size_t listener)
{
	if (server->listeners[listener] < 0)
		return true;
	while (server->connection_count < server->connections_most) {
		int fd = accept4(
			server->listeners[listener], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			add_connection(server, fd, listener == ADMIN);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			fn_log(NULL, FN_WARNING, "no new connections for now: %s", strerror(errno));
			return false;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return true;
		}
	}
	return false;
}

static void
accept_connections(struct server *server)
{
	if (!accept_from(server, PUBLIC) || !accept_from(server, ADMIN))
		set_accepting(server, false); /* until a connection ends, or the next sweep */
}

/* ---- Requests ---------------------------------------------------------------------------- */

/* Browsers ask for their icon on their own; a function does not want to hear of it. */
static bool
is_ignored(const struct server *server, struct fn_bytes path)
{
	struct fn_bytes rest = fn_bytes(server->options->ignored_routes);

	while (rest.size > 0) {
		if (fn_bytes_equal(fn_bytes_cut(&rest, '|'), path))
			return true;
	}
	return false;
}

/* 0 where the function is to be called. A probe is answered while every handler is busy: one that
 * fails gets the process killed. */
static int
status_without_a_call(const struct server *server, const struct fn_call *call)
{
	struct fn_bytes probe_path = fn_bytes(server->options->probe_path);

	if (probe_path.size > 0 && fn_bytes_equal(call->path, probe_path))
		return atomic_load(&server->draining) ? 503 : 200;
	return is_ignored(server, call->path) ? 404 : 0;
}

/* The loop answers it: the page is wanted most when no handler is free. */
static void
answer_admin(struct server *server, struct connection *connection)
{
	struct fn_call *call = &connection->exchange->call;
	struct metrics_now now = {.connections = server->connection_count};

	if (fn_bytes_is(call->path, "/metrics")) {
		pool_count(server->pool, &now.waiting, &now.in_flight);
		call->answer.status = 200;
		call->answer.headers[call->answer.header_count++] = (struct fn_header){
			FN_BYTES("Content-Type"), FN_BYTES("text/plain; version=0.0.4")};
		call->answer.body = metrics_page(&server->metrics, &now, call->arena);
	} else {
		call->answer.status = 404;
	}
	connection_answer(connection);
}

static void
refuse_busy(struct server *server, struct connection *connection)
{
	atomic_fetch_add(&server->metrics.refused, 1);
	connection_refuse(connection, 503, busy, 1);
}

/* Counts an answer that is written. */
static void
finish(struct server *server, struct connection *connection)
{
	const struct fn_exchange *exchange = connection->exchange;

	if (!connection->is_admin)
		metrics_count(&server->metrics, exchange->call.answer.status, exchange->whole_us);
	connection_next(connection);
}

/* While stopping: whether nothing has come in behind this request. */
static bool
is_last(const struct server *server, const struct connection *connection)
{
	return atomic_load(&server->draining) && connection->unread.size == 0;
}

/* False where the request has its answer without a call. */
static bool
begin_call(struct server *server, struct connection *connection)
{
	struct fn_exchange *exchange = connection->exchange;
	struct fn_call *call = &exchange->call;

	if (is_last(server, connection))
		exchange->close = true;
	if (connection->is_admin) {
		answer_admin(server, connection);
		return false;
	}
	call->answer.status = status_without_a_call(server, call);
	if (call->answer.status != 0) {
		connection_answer(connection);
		return false;
	}
	exchange->whole_us = metrics_clock_us();
	call->deadline_ms = exchange->whole_us / 1000 + server->options->request_timeout_ms;
	connection_lend(connection, call->deadline_ms);
	return true;
}

enum progress {
	WAITING, /* for the socket, or for its turn */
	CALLING, /* its handler is to be called */
	ENDED,
};

/* Goes on with a connection as far as it goes without waiting. */
static enum progress
go_on(struct server *server, struct connection *connection)
{
	enum connection_result result = CONNECTION_CLOSED;

	for (int steps = 0; steps < STEPS_MOST; steps++) {
		switch (connection->phase) {
		case CONNECTION_READING:
			result = connection_read(
				connection, server->scratch, server->options->body_limit);
			if (result == CONNECTION_REQUEST && begin_call(server, connection))
				return CALLING;
			break;
		case CONNECTION_WRITING:
			result = connection_write(connection);
			if (result == CONNECTION_DONE)
				finish(server, connection);
			break;
		case CONNECTION_LINGERING:
			result = connection_linger(connection, server->scratch);
			break;
		case CONNECTION_OVER:
			result = CONNECTION_CLOSED;
			break;
		}
		if (result == CONNECTION_BLOCKED)
			return WAITING;
		if (result == CONNECTION_CLOSED) {
			drop_connection(server, connection);
			return ENDED;
		}
	}
	/* what is ready comes up again when it is set anew, behind the others */
	watch_connection(server, EPOLL_CTL_MOD, connection);
	return WAITING;
}

/* Puts the call in the line; false where that is full, and the refusal is to be written. */
static bool
line_up(struct server *server, struct connection *connection)
{
	if (pool_add(server->pool, connection->exchange))
		return true;
	connection_take_back(connection);
	refuse_busy(server, connection);
	return false;
}

/* Goes on with a connection, and lets followers call its handler; false when it has ended. */
static bool
on_connection(struct server *server, struct connection *connection)
{
	enum progress progress;

	do
		progress = go_on(server, connection);
	while (progress == CALLING && !line_up(server, connection));
	return progress != ENDED;
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
	if (connection->exchange->streaming) {
		if (stream_end(connection->exchange))
			finish(server, connection);
		else
			connection->phase = CONNECTION_OVER;
		return;
	}
	if (!connection_claim_answer(connection))
		return;
	if (is_last(server, connection))
		connection->exchange->close = true;
	connection_answer(connection);
	switch (connection_write(connection)) {
	case CONNECTION_DONE:
		finish(server, connection);
		break;
	case CONNECTION_BLOCKED:
		break;
	default:
		connection->phase = CONNECTION_OVER;
		break;
	}
}

/* Calls the handler. False: the leader has to go on with the connection. */
static bool
handle(struct server *server, struct connection *connection)
{
	struct fn_exchange *exchange = connection->exchange;
	const struct server_options *options = server->options;

	exchange->stopping = &server->draining;
	if (!connection_is_expired(connection)) {
		trace_read(&exchange->call);
		if (options->log_execution_id)
			trace_execution(&exchange->call);
		exchange_run(exchange, options->handler, options->with);
	}
	answer(server, connection);
	return connection->phase == CONNECTION_READING && connection_return(connection);
}

static void
handle_from_line(struct fn_exchange *exchange, void *with)
{
	struct connection *connection = exchange->connection;

	if (!handle(with, connection))
		give_back(with, connection);
}

/* ---- Events ------------------------------------------------------------------------------ */

/* Goes on with a connection, and calls its handler right here as long as that may be. False:
 * another thread leads now. */
static bool
on_event(struct server *server, struct connection *connection, uint32_t events)
{
	uint64_t visit;
	bool settled;

	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		atomic_store(&connection->hung_up, true);
	if (!connection_on_event(connection))
		return true;
	while (go_on(server, connection) == CALLING) {
		if (!pool_leave(server->pool, connection->exchange->whole_us - server->turned_us,
			    &visit)) {
			if (line_up(server, connection))
				return true;
			continue;
		}
		settled = handle(server, connection);
		if (!pool_return(server->pool, visit)) {
			if (!settled)
				give_back(server, connection);
			return false;
		}
		if (settled)
			return true;
		connection_take_back(connection);
	}
	return true;
}

/* ---- Timeouts ---------------------------------------------------------------------------- */

static bool
is_idle(const struct connection *connection)
{
	return connection->phase == CONNECTION_READING && !connection->reading_body &&
	       connection->unread.size == 0;
}

/* How long this connection may stay as it is. */
static int64_t
patience_ms(const struct server *server, const struct connection *connection)
{
	const struct server_timeouts *timeouts = &server->options->timeouts;
	bool draining = atomic_load(&server->draining);
	int64_t reading_ms = connection->reading_body ? timeouts->body_ms : timeouts->head_ms;

	if (is_idle(connection))
		return !draining ? timeouts->idle_ms : connection->greeted ? 0 : GREETING_MS;
	switch (connection->phase) {
	case CONNECTION_READING:
		return draining && reading_ms > LAST_BYTES_MS ? LAST_BYTES_MS : reading_ms;
	case CONNECTION_WRITING:
		return timeouts->write_ms;
	default:
		return timeouts->linger_ms;
	}
}

static bool
is_overdue(const struct server *server, const struct connection *connection, int64_t now_ms)
{
	return !atomic_load(&connection->holding) &&
	       now_ms - connection->since_ms >= patience_ms(server, connection);
}

static void
refuse_waiting(struct server *server, struct connection *connection)
{
	connection_take_back(connection);
	if (connection->phase == CONNECTION_READING)
		refuse_busy(server, connection);
	on_connection(server, connection);
}

/* Who hangs up and is not served soon has not just said that this was all that he sends. */
static void
sweep_call(struct server *server, struct connection *connection, int64_t now_ms)
{
	int64_t begun_ms = connection->deadline_ms - server->options->request_timeout_ms;

	if (now_ms >= connection->deadline_ms)
		connection_expire(connection, 504, too_slow);
	else if (atomic_load(&connection->hung_up) && now_ms - begun_ms >= HANG_UP_MS &&
		 pool_take(server->pool, connection))
		refuse_waiting(server, connection);
}

static void
sweep_connection(struct server *server, struct connection *connection, int64_t now_ms)
{
	if (atomic_load(&connection->holding)) {
		sweep_call(server, connection, now_ms);
		return;
	}
	/* in a process that was frozen much is overdue, and has its next bytes here already */
	if (!is_overdue(server, connection, now_ms) || !on_connection(server, connection) ||
		!is_overdue(server, connection, now_ms))
		return;
	if (connection->phase == CONNECTION_WRITING)
		connection_forget(connection);
	if (is_idle(connection) || connection->phase != CONNECTION_READING) {
		drop_connection(server, connection);
		return;
	}
	connection_refuse(connection, 408, "The request took too long to arrive.", 0);
	on_connection(server, connection);
}

static void
sweep(struct server *server, int64_t now_ms)
{
	struct fn_exchange *waiting;
	struct connection *next;

	while ((waiting =
			pool_take_stale(server->pool, (now_ms - server->options->wait_ms) * 1000)))
		refuse_waiting(server, waiting->connection);
	for (struct connection *at = server->connections; at; at = next) {
		next = at->next;
		sweep_connection(server, at, now_ms);
	}
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

static void
close_listeners(struct server *server)
{
	for (size_t i = 0; i < LISTENERS; i++) {
		if (server->listeners[i] >= 0)
			close(server->listeners[i]);
		server->listeners[i] = -1;
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
	close_listeners(server);
	server->draining_since_ms = fn_now_ms();
	atomic_store(&server->draining, true);
}

static int64_t
sweep_interval_ms(const struct server *server)
{
	return atomic_load(&server->draining) ? DRAIN_TICK_MS : SWEEP_MS;
}

static int
wait_ms(const struct server *server)
{
	int64_t left = server->swept_ms + sweep_interval_ms(server) - fn_now_ms();

	if (!server->connections && server->accepting)
		return -1;
	if (server->some_wait && left > 1)
		return 1;
	return left > 0 ? (int)left : 0;
}

static void
await_events(struct server *server)
{
	int count = epoll_wait(server->epoll, server->events, EVENTS, wait_ms(server));

	server->event_count = count > 0 ? count : 0;
	server->event_at = 0;
	server->turned_us = metrics_clock_us();
}

/* False: another thread leads now, and deals with the events that are left. */
static bool
deal_with_events(struct server *server)
{
	uint64_t wakes;

	while (server->event_at < server->event_count) {
		const struct epoll_event *event = &server->events[server->event_at++];
		void *what = event->data.ptr;

		if (what == &server->listeners[PUBLIC] || what == &server->listeners[ADMIN])
			accept_connections(server);
		else if (what == &server->signals)
			begin_drain(server);
		else if (what == &server->wake)
			(void)!read(server->wake, &wakes, sizeof(wakes));
		else if (!on_event(server, what, event->events))
			return false;
	}
	return true;
}

/* False: another thread leads now. */
static bool
turn(struct server *server)
{
	int64_t now_us;

	if (server->event_at == server->event_count)
		await_events(server);
	if (!deal_with_events(server))
		return false;
	/* only now, since it may end connections that an event was about */
	take_back_returned(server);
	now_us = metrics_clock_us();
	if (now_us / 1000 - server->swept_ms >= sweep_interval_ms(server))
		sweep(server, now_us / 1000);
	server->some_wait = pool_wake(server->pool, now_us);
	return !pool_relieve(server->pool);
}

static enum pool_lead
lead(void *with)
{
	struct server *server = with;

	while (!atomic_load(&server->draining) ||
		(server->connections && fn_now_ms() - server->draining_since_ms <
						server->options->timeouts.drain_ms)) {
		if (!turn(server))
			return POOL_RELIEVED;
	}
	for (struct connection *at = server->connections; at; at = at->next)
		connection_expire(at, 503, stopping);
	return server->connections ? POOL_ABANDONED : POOL_DONE;
}

bool
server_run(struct server *server)
{
	return pool_run(server->pool);
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
	limit.rlim_cur = limit.rlim_max < FDS_MOST ? limit.rlim_max : FDS_MOST;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 2 * spare ? limit.rlim_cur - spare : limit.rlim_cur / 2;
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

static bool
open_listeners(struct server *server, struct fn_error *err)
{
	const struct server_options *options = server->options;

	TRY(listen_on(options->host, options->port, &server->listeners[PUBLIC], err));
	return options->admin_port == 0 ||
	       listen_on(options->host, options->admin_port, &server->listeners[ADMIN], err);
}

bool
server_open(struct server **opened, const struct server_options *options, struct fn_error *err)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	server->options = options;
	server->scratch = malloc(CONNECTION_SCRATCH);
	server->listeners[PUBLIC] = server->listeners[ADMIN] = -1;
	server->connections_most = connections_most(options);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	server->signals = signals_as_events();
	server->pool = pool_new(&(struct pool_work){
		.handlers_most = (size_t)options->concurrency,
		.waiting_most = options->waiting_most,
		.quick_calls = options->quick_calls,
		.lead = lead,
		.run = handle_from_line,
		.with = server,
	});
	if (!server->scratch || !server->pool ||
		watch(server, EPOLL_CTL_ADD, server->wake, EPOLLIN, &server->wake) != 0 ||
		watch(server, EPOLL_CTL_ADD, server->signals, EPOLLIN, &server->signals) != 0) {
		fn_fail(err, FN_INTERNAL, "server: %s", strerror(errno));
		server_close(server);
		return false;
	}
	if (!open_listeners(server, err)) {
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
	close_listeners(server);
	close(server->epoll);
	close(server->wake);
	close(server->signals);
	free(server->scratch);
	free(server);
}
