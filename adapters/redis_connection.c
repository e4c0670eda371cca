#include "adapters/redis_connection.h"

#include "fn/clock.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CONNECT_MS 1000
#define UNANSWERED_MS 10000 /* what was sent is not acknowledged: the peer is gone */

/* A peer that is gone is noticed after 15 + 3 * 5 s also where nothing is sent. */
static const struct {
	int level, name, value;
} options[] = {
	{IPPROTO_TCP, TCP_NODELAY, 1},
	{SOL_SOCKET, SO_KEEPALIVE, 1},
	{IPPROTO_TCP, TCP_KEEPIDLE, 15},
	{IPPROTO_TCP, TCP_KEEPINTVL, 5},
	{IPPROTO_TCP, TCP_KEEPCNT, 3},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, UNANSWERED_MS},
};

/* ---- Opening --------------------------------------------------------------------------------- */

static void
set_timeout(int fd, int which, int64_t timeout_ms)
{
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	setsockopt(fd, SOL_SOCKET, which, &timeout, sizeof(timeout));
}

/* On Linux the timeout for sending is also the one for connecting. */
static int
connect_to(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < COUNT(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			sizeof(options[i].value));
	set_timeout(fd, SO_SNDTIMEO, CONNECT_MS);
	set_timeout(fd, SO_RCVTIMEO, CONNECT_MS);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	int reason = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(fd);
	errno = reason;
	return -1;
}

FN_DROP(drop_addresses, struct addrinfo *, freeaddrinfo)

static bool
connect_any(const char *host, const char *port, int *fd, struct fn_error *err)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	AUTO(drop_addresses) struct addrinfo *addresses = NULL;
	int failed = getaddrinfo(host, port, &hints, &addresses);
	int reason = 0;

	if (failed)
		return fn_fail(err, FN_UPSTREAM, "%s", gai_strerror(failed));
	for (const struct addrinfo *at = addresses; at; at = at->ai_next) {
		*fd = connect_to(at);
		reason = errno;
		if (*fd >= 0)
			return true;
	}
	return fn_fail(err, FN_UPSTREAM, "connect: %s", strerror(reason));
}

static const char *
tls_reason(const SSL *tls)
{
	long verdict = SSL_get_verify_result(tls);
	unsigned long code = ERR_peek_error();

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	return code ? ERR_reason_error_string(code) : "the connection was closed";
}

/* A host given as an address must stand in the certificate as an address. */
static bool
tls_expect(SSL *tls, const char *host)
{
	return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1 ||
	       (SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, host) == 1);
}

static bool
tls_begin(struct redis_connection *conn, const char *host, SSL_CTX *context, struct fn_error *err)
{
	conn->tls = SSL_new(context);
	assert(conn->tls);
	ERR_clear_error();
	if (SSL_set_fd(conn->tls, conn->fd) == 1 && tls_expect(conn->tls, host) &&
		SSL_connect(conn->tls) == 1)
		return true;
	return fn_fail(err, FN_UPSTREAM, "TLS: %s", tls_reason(conn->tls));
}

bool
redis_connection_open(struct redis_connection **opened, const char *host, const char *port,
	SSL_CTX *tls, struct fn_error *err)
{
	struct redis_connection *conn;
	int fd;

	TRY(connect_any(host, port, &fd, err));
	conn = calloc(1, sizeof(*conn));
	assert(conn);
	conn->fd = fd;
	conn->timeout_ms = CONNECT_MS;
	conn->reader = redisReaderCreate();
	assert(conn->reader);
	if (tls && !tls_begin(conn, host, tls, err)) {
		redis_connection_close(conn);
		return false;
	}
	*opened = conn;
	return true;
}

void
redis_connection_close(struct redis_connection *conn)
{
	SSL_free(conn->tls);
	redisReaderFree(conn->reader);
	close(conn->fd);
	free(conn);
}

/* ---- Talking --------------------------------------------------------------------------------- */

/* As send and recv do, with errno set: EAGAIN for a timeout, 0 for what TLS alone knows. */
static ssize_t
tls_result(SSL *tls, int result)
{
	if (result > 0)
		return result;
	switch (SSL_get_error(tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return -1;
	default:
		errno = EPROTO;
		return -1;
	}
}

static int
tls_size(size_t size)
{
	return size < INT32_MAX ? (int)size : INT32_MAX;
}

static ssize_t
put(struct redis_connection *conn, const char *bytes, size_t size)
{
	if (!conn->tls)
		return send(conn->fd, bytes, size, MSG_NOSIGNAL);
	ERR_clear_error();
	return tls_result(conn->tls, SSL_write(conn->tls, bytes, tls_size(size)));
}

static ssize_t
get(struct redis_connection *conn, char *bytes, size_t size)
{
	if (!conn->tls)
		return recv(conn->fd, bytes, size, 0);
	ERR_clear_error();
	return tls_result(conn->tls, SSL_read(conn->tls, bytes, tls_size(size)));
}

static bool
explain(ssize_t result, struct fn_error *err)
{
	int reason = errno;

	if (result == 0)
		return fn_fail(err, FN_UPSTREAM, "the server closed the connection");
	if (reason == EAGAIN || reason == EWOULDBLOCK)
		return fn_fail(err, FN_DEADLINE, "no reply in time");
	return fn_fail(err, FN_UPSTREAM, "connection lost: %s", strerror(reason));
}

bool
redis_connection_write(
	struct redis_connection *conn, const char *bytes, size_t size, struct fn_error *err)
{
	while (size > 0) {
		ssize_t done = put(conn, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return explain(done, err);
		bytes += done;
		size -= (size_t)done;
	}
	return true;
}

static bool
read_more(struct redis_connection *conn, struct fn_error *err)
{
	char bytes[16384];
	ssize_t size;

	do
		size = get(conn, bytes, sizeof(bytes));
	while (size < 0 && errno == EINTR);
	if (size <= 0)
		return explain(size, err);
	if (redisReaderFeed(conn->reader, bytes, (size_t)size) != REDIS_OK)
		return fn_fail(err, FN_UPSTREAM, "no Redis protocol: %s", conn->reader->errstr);
	return true;
}

bool
redis_connection_read(struct redis_connection *conn, int64_t timeout_ms, struct fn_arena *arena,
	const redisReply **reply, struct fn_error *err)
{
	int64_t deadline_ms = fn_now_ms() + timeout_ms;
	void *read = NULL;

	if (conn->timeout_ms != timeout_ms)
		set_timeout(conn->fd, SO_RCVTIMEO, timeout_ms);
	conn->timeout_ms = timeout_ms;
	for (;;) {
		if (redisReaderGetReply(conn->reader, &read) != REDIS_OK)
			return fn_fail(
				err, FN_UPSTREAM, "no Redis protocol: %s", conn->reader->errstr);
		if (read)
			break;
		if (fn_now_ms() > deadline_ms)
			return fn_fail(err, FN_DEADLINE, "no whole reply in time");
		TRY(read_more(conn, err));
	}
	fn_arena_defer(arena, freeReplyObject, read);
	*reply = read;
	return true;
}
