#include "server_parts.h"

#include "fn/clock.h"
#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 500     /* how often timeouts are looked for... */
#define DRAIN_TICK_MS 10 /* ...and how often while stopping */
#define FDS_MOST 25000   /* Cloud Run's own limit for an instance */
#define SPARE_FDS 64     /* for all else but connections */

static const char stopping[] = "This was given up, since the server stops. Please try again.";

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
void
server_set_accepting(struct server *server, bool accepting)
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

void
server_drop_connection(struct server *server, struct connection *connection)
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
	server_set_accepting(server, true);
}

void
server_postpone(struct server *server, struct connection *connection)
{
	watch_connection(server, EPOLL_CTL_MOD, connection); /* looks anew at what is ready */
}

static void
add_connection(struct server *server, int fd, bool is_admin)
{
	struct connection *connection = connection_new(fd, &server->draining);
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
		server_drop_connection(server, connection);
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
		server_set_accepting(
			server, false); /* until a connection ends, or the next sweep */
}

/* ---- The loop ---------------------------------------------------------------------------- */

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
		else if (!server_on_event(server, what, event->events))
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
	server_take_back(server);
	now_us = metrics_clock_us();
	if (now_us / 1000 - server->swept_ms >= sweep_interval_ms(server))
		server_sweep(server, now_us / 1000);
	server->some_wait = pool_wake(server->pool, now_us);
	return !pool_relieve(server->pool);
}

static enum pool_lead
lead(void *with)
{
	struct server *server = with;

	/* whoever led before has not come to it */
	server->some_wait = pool_wake(server->pool, metrics_clock_us());
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
		.run = server_call,
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
	server_set_accepting(server, true);
	*opened = server;
	return true;
}

void
server_close(struct server *server)
{
	if (server->pool)
		pool_drop(server->pool);
	while (server->connections)
		server_drop_connection(server, server->connections);
	close_listeners(server);
	close(server->epoll);
	close(server->wake);
	close(server->signals);
	free(server->scratch);
	free(server);
}
