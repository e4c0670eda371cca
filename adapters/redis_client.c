#include "adapters/redis_client.h"

#include "adapters/redis_connection.h"
#include "fn/retry.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define COMMAND_MS 2000
#define ATTEMPTS 4
#define FIRST_WAIT_MS 50
#define MOST_WAIT_MS 500

struct address {
	char host[256];
	char port[6];
};

struct redis_client {
	struct fn_arena *arena; /* of what the URL says */
	struct address home;    /* as in the URL */
	struct fn_bytes user, password, database;
	SSL_CTX *tls; /* NULL: plain TCP */

	pthread_mutex_t lock; /* for what follows */
	struct redis_connection *idle;
	struct address at; /* home, or where a cluster has sent us */
	char history[REDIS_HISTORY_SIZE];
};

/* ---- The URL --------------------------------------------------------------------------------- */

static bool
refuse(struct fn_error *err)
{
	return fn_fail(err, FN_INVALID,
		"REDIS_URL must be redis://[user:password@]host[:port][/db], or rediss:// for "
		"TLS");
}

static bool
address_set(struct address *address, struct fn_bytes host, struct fn_bytes port)
{
	uint64_t number;

	if (host.size == 0 || host.size >= sizeof(address->host) || memchr(host.at, 0, host.size) ||
		!fn_bytes_number(port, 65535, &number) || port.size >= sizeof(address->port))
		return false;
	memcpy(address->host, host.at, host.size);
	address->host[host.size] = '\0';
	memcpy(address->port, port.at, port.size);
	address->port[port.size] = '\0';
	return true;
}

/* host, host:port or [host]:port */
static bool
address_read(struct address *address, struct fn_bytes text)
{
	struct fn_bytes host, port = text;

	if (fn_bytes_starts(text, "[")) {
		port = (struct fn_bytes){text.at + 1, text.size - 1};
		host = fn_bytes_cut(&port, ']');
		if (port.size > 0 && port.at[0] != ':')
			return false;
		fn_bytes_cut(&port, ':');
	} else {
		host = fn_bytes_cut(&port, ':');
	}
	return address_set(address, host, port.size ? port : FN_BYTES("6379"));
}

static bool
credentials_read(struct redis_client *client, struct fn_bytes text)
{
	struct fn_bytes user = fn_bytes_cut(&text, ':');

	return fn_bytes_unescape(user, client->arena, &client->user) &&
	       fn_bytes_unescape(text, client->arena, &client->password);
}

static bool
url_read(struct redis_client *client, struct fn_bytes rest, struct fn_error *err)
{
	struct fn_bytes authority = fn_bytes_cut(&rest, '/');
	const char *at_sign = memrchr(authority.at ? authority.at : "", '@', authority.size);
	uint64_t number;

	if (rest.size > 0 && !fn_bytes_number(rest, INT32_MAX, &number))
		return refuse(err);
	client->database = fn_bytes_copy(client->arena, rest);
	if (at_sign) {
		size_t size = (size_t)(at_sign - authority.at);

		if (!credentials_read(client, (struct fn_bytes){authority.at, size}))
			return refuse(err);
		authority = (struct fn_bytes){at_sign + 1, authority.size - size - 1};
	}
	return address_read(&client->home, authority) || refuse(err);
}

/* OpenSSL writes without MSG_NOSIGNAL. */
static bool
tls_open(struct redis_client *client, const char *ca_file, struct fn_error *err)
{
	signal(SIGPIPE, SIG_IGN);
	client->tls = SSL_CTX_new(TLS_client_method());
	assert(client->tls);
	SSL_CTX_set_min_proto_version(client->tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(client->tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(client->tls, SSL_MODE_AUTO_RETRY);
	if (!*ca_file)
		return SSL_CTX_set_default_verify_paths(client->tls) == 1 ||
		       fn_fail(err, FN_INTERNAL, "Redis: TLS: out of memory");
	return SSL_CTX_load_verify_locations(client->tls, ca_file, NULL) == 1 ||
	       fn_fail(err, FN_INVALID, "REDIS_CA_FILE: %s: no certificates to read", ca_file);
}

static bool
client_set(struct redis_client *client, const char *url, const char *ca_file, struct fn_error *err)
{
	struct fn_bytes text = fn_bytes(url);
	bool is_tls = fn_bytes_starts(text, "rediss://");

	if (!is_tls && !fn_bytes_starts(text, "redis://"))
		return refuse(err);
	fn_bytes_cut(&text, '/');
	fn_bytes_cut(&text, '/');
	TRY(url_read(client, text, err));
	return !is_tls || tls_open(client, ca_file, err);
}

bool
redis_client_open(
	struct redis_client **opened, const char *url, const char *ca_file, struct fn_error *err)
{
	struct redis_client *client = calloc(1, sizeof(*client));

	assert(client);
	client->arena = fn_arena_new();
	pthread_mutex_init(&client->lock, NULL);
	if (!client_set(client, url, ca_file, err)) {
		redis_client_close(client);
		return false;
	}
	client->at = client->home;
	*opened = client;
	return true;
}

void
redis_client_close(struct redis_client *client)
{
	while (client->idle) {
		struct redis_connection *conn = client->idle;
		client->idle = conn->next;
		redis_connection_close(conn);
	}
	SSL_CTX_free(client->tls);
	pthread_mutex_destroy(&client->lock);
	fn_arena_drop(client->arena);
	free(client);
}

/* ---- Connections ----------------------------------------------------------------------------- */

struct formatted {
	char *bytes;
	size_t size;
};

static void
drop_formatted(struct formatted *formatted)
{
	free(formatted->bytes);
}

/* What formats as an int in one version of hiredis is a long long in another. */
static struct formatted
format(const struct redis_command *command)
{
	const char *at[REDIS_WORDS_MOST];
	size_t sizes[REDIS_WORDS_MOST];
	struct formatted formatted;

	assert(command->count <= REDIS_WORDS_MOST);
	for (size_t i = 0; i < command->count; i++) {
		at[i] = command->words[i].at ? command->words[i].at : "";
		sizes[i] = command->words[i].size;
	}
	long long size = redisFormatCommandArgv(&formatted.bytes, (int)command->count, at, sizes);
	assert(size > 0);
	formatted.size = (size_t)size;
	return formatted;
}

static bool
put(struct redis_connection *conn, const struct redis_command *command, struct fn_error *err)
{
	AUTO(drop_formatted) struct formatted formatted = format(command);

	return redis_connection_write(conn, formatted.bytes, formatted.size, err);
}

static bool
exchange(struct redis_connection *conn, struct fn_arena *arena,
	const struct redis_command *commands, size_t count, int64_t timeout_ms,
	const redisReply **replies, struct fn_error *err)
{
	for (size_t i = 0; i < count; i++)
		TRY(put(conn, &commands[i], err));
	for (size_t i = 0; i < count; i++)
		TRY(redis_connection_read(conn, timeout_ms, arena, &replies[i], err));
	return true;
}

static bool
introduce(struct redis_connection *conn, struct fn_arena *arena, const struct fn_bytes *words,
	size_t count, const redisReply **reply, struct fn_error *err)
{
	const struct redis_command command = {words, count};

	TRY(exchange(conn, arena, &command, 1, COMMAND_MS, reply, err));
	if ((*reply)->type == REDIS_REPLY_ERROR)
		return fn_fail(err, FN_UPSTREAM, "%.*s: %s", FN_ARG(words[0]), (*reply)->str);
	return true;
}

static bool
log_in(const struct redis_client *client, struct redis_connection *conn, struct fn_arena *arena,
	struct fn_error *err)
{
	const struct fn_bytes words[] = {FN_BYTES("AUTH"), client->user, client->password};
	const struct fn_bytes old_words[] = {FN_BYTES("AUTH"), client->password};
	const redisReply *reply;

	if (client->user.size > 0)
		return introduce(conn, arena, words, COUNT(words), &reply, err);
	return client->password.size == 0 ||
	       introduce(conn, arena, old_words, COUNT(old_words), &reply, err);
}

static bool
choose_database(const struct redis_client *client, struct redis_connection *conn,
	struct fn_arena *arena, struct fn_error *err)
{
	const struct fn_bytes words[] = {FN_BYTES("SELECT"), client->database};
	const redisReply *reply;

	return client->database.size == 0 || fn_bytes_is(client->database, "0") ||
	       introduce(conn, arena, words, COUNT(words), &reply, err);
}

/* A server that does not tell is one whose failovers go unnoticed, and no reason to refuse it. */
static bool
learn_history(struct redis_client *client, struct redis_connection *conn, struct fn_arena *arena,
	struct fn_error *err)
{
	static const char name[] = "master_replid:";
	const struct fn_bytes words[] = {FN_BYTES("INFO"), FN_BYTES("replication")};
	const struct redis_command info = {words, COUNT(words)};
	const redisReply *reply;

	TRY(exchange(conn, arena, &info, 1, COMMAND_MS, &reply, err));
	const char *line = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, name) : NULL;
	if (!line)
		return true;
	line += sizeof(name) - 1;
	size_t size = strcspn(line, "\r\n");
	if (size >= REDIS_HISTORY_SIZE)
		return true;
	pthread_mutex_lock(&client->lock);
	memcpy(client->history, line, size);
	client->history[size] = '\0';
	pthread_mutex_unlock(&client->lock);
	return true;
}

static void
move(struct redis_client *client, const struct address *to)
{
	pthread_mutex_lock(&client->lock);
	client->at = *to;
	pthread_mutex_unlock(&client->lock);
}

static bool
connection_new(struct redis_client *client, struct fn_arena *arena,
	struct redis_connection **opened, struct fn_error *err)
{
	struct redis_connection *conn;

	pthread_mutex_lock(&client->lock);
	struct address at = client->at;
	pthread_mutex_unlock(&client->lock);
	if (!redis_connection_open(&conn, at.host, at.port, client->tls, err)) {
		move(client, &client->home);
		return fn_wrap(err, "redis %s:%s", at.host, at.port);
	}
	if (!log_in(client, conn, arena, err) || !choose_database(client, conn, arena, err) ||
		!learn_history(client, conn, arena, err)) {
		redis_connection_close(conn);
		return fn_wrap(err, "redis %s:%s", at.host, at.port);
	}
	*opened = conn;
	return true;
}

static bool
connection_take(struct redis_client *client, struct fn_arena *arena,
	struct redis_connection **taken, struct fn_error *err)
{
	pthread_mutex_lock(&client->lock);
	struct redis_connection *conn = client->idle;
	if (conn)
		client->idle = conn->next;
	pthread_mutex_unlock(&client->lock);
	if (!conn)
		return connection_new(client, arena, taken, err);
	*taken = conn;
	return true;
}

static void
connection_return(struct redis_client *client, struct redis_connection *conn)
{
	conn->reused = true;
	pthread_mutex_lock(&client->lock);
	conn->next = client->idle;
	client->idle = conn;
	pthread_mutex_unlock(&client->lock);
}

void
redis_client_history(struct redis_client *client, char history[REDIS_HISTORY_SIZE])
{
	pthread_mutex_lock(&client->lock);
	memcpy(history, client->history, REDIS_HISTORY_SIZE);
	pthread_mutex_unlock(&client->lock);
}

/* ---- Sending, and sending again -------------------------------------------------------------- */

/* Errors of the server's state and not of the command. While a cluster moves our slot it answers
 * ASK: half of the keys are on either side then, so we wait for the end of it. */
static const char *const passing[] = {"READONLY ", "LOADING ", "UNBLOCKED ", "CLUSTERDOWN ",
	"TRYAGAIN ", "MOVED ", "ASK ", "MASTERDOWN ", "BUSY "};

static bool
will_pass(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR)
		return false;
	for (size_t i = 0; i < COUNT(passing); i++)
		if (strncmp(reply->str, passing[i], strlen(passing[i])) == 0)
			return true;
	return false;
}

/* "MOVED 3999 127.0.0.1:6381"; an IPv6 address has no brackets, an unknown host is left out. */
static void
follow(struct redis_client *client, const redisReply *reply)
{
	struct fn_bytes text = fn_bytes(reply->str);
	struct address to;

	if (!fn_bytes_starts(text, "MOVED "))
		return;
	fn_bytes_cut(&text, ' ');
	fn_bytes_cut(&text, ' ');
	const char *colon = memrchr(text.at, ':', text.size);
	if (!colon)
		return;
	struct fn_bytes host = {text.at, (size_t)(colon - text.at)};
	struct fn_bytes port = {colon + 1, text.size - host.size - 1};
	if (address_set(&to, host.size ? host : fn_bytes(client->home.host), port))
		move(client, &to);
}

static const redisReply *
find_passing(const redisReply *const *replies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (will_pass(replies[i]))
			return replies[i];
	return NULL;
}

/* One attempt. `stale` says that an idle connection had been closed meanwhile. */
static bool
send_once(struct redis_client *client, struct fn_call *call, const struct redis_command *commands,
	size_t count, int64_t timeout_ms, const redisReply **replies, bool *stale,
	struct fn_error *err)
{
	struct redis_connection *conn;

	*stale = false;
	TRY(connection_take(client, call->arena, &conn, err));
	if (!exchange(conn, call->arena, commands, count, timeout_ms, replies, err)) {
		*stale = conn->reused && err->code == FN_UPSTREAM;
		redis_connection_close(conn);
		return fn_wrap(err, "redis");
	}
	const redisReply *refusal = find_passing(replies, count);
	if (refusal) {
		follow(client, refusal);
		redis_connection_close(conn);
		return fn_fail(err, FN_UPSTREAM, "redis: %s", refusal->str);
	}
	connection_return(client, conn);
	return true;
}

bool
redis_client_send_all(struct redis_client *client, struct fn_call *call,
	const struct redis_command *commands, size_t count, int64_t block_ms,
	const redisReply **replies, struct fn_error *err)
{
	struct fn_retry retry = {
		.attempts = ATTEMPTS, .first_ms = FIRST_WAIT_MS, .most_ms = MOST_WAIT_MS};
	int64_t timeout_ms;
	bool stale;

	do {
		do {
			timeout_ms = fn_time_left_ms(call, COMMAND_MS + block_ms);
			if (timeout_ms <= 0)
				return fn_fail(err, FN_DEADLINE, "redis: no time is left");
			if (send_once(client, call, commands, count, timeout_ms, replies, &stale,
				    err))
				return true;
		} while (stale);
	} while (fn_retry_wait(&retry, call, 0));
	return false;
}

bool
redis_client_send(struct redis_client *client, struct fn_call *call, const struct fn_bytes *words,
	size_t count, int64_t block_ms, const redisReply **reply, struct fn_error *err)
{
	const struct redis_command command = {words, count};

	return redis_client_send_all(client, call, &command, 1, block_ms, reply, err);
}
