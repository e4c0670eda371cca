/* upstream PORT PICTURE: all that is asked for a picture, played as lightly as can be.
 *
 *   POST ...:generateContent, ...:predict   the file PICTURE in Vertex AI's two dialects
 *   PUT                                     a bucket that forgets what it is given
 *   GET .../token                           the metadata server
 *   POST /gate/model, /gate/bucket          from now on holds answers back at their last byte, so
 *                                           that whoever asked sits there with a whole picture...
 *   POST /gate/none                         ...until now
 *   GET /gate                               how many are held back */
#include "bench/picture/plain_http.h"

#include <err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK 32768

/* ---- The gate ------------------------------------------------------------------------------ */

enum place {
	NOWHERE,
	MODEL,
	BUCKET,
	ELSEWHERE, /* no gate ever stands there */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	enum place place;
	unsigned held;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static void
gate_move(enum place place)
{
	pthread_mutex_lock(&gate.lock);
	gate.place = place;
	pthread_cond_broadcast(&gate.moved);
	pthread_mutex_unlock(&gate.lock);
}

static bool
gate_is_at(enum place place)
{
	pthread_mutex_lock(&gate.lock);
	bool yes = gate.place == place;
	pthread_mutex_unlock(&gate.lock);
	return yes;
}

static unsigned
gate_count(void)
{
	pthread_mutex_lock(&gate.lock);
	unsigned held = gate.held;
	pthread_mutex_unlock(&gate.lock);
	return held;
}

static void
gate_pass(enum place place)
{
	pthread_mutex_lock(&gate.lock);
	gate.held++;
	while (gate.place == place)
		pthread_cond_wait(&gate.moved, &gate.lock);
	gate.held--;
	pthread_mutex_unlock(&gate.lock);
}

/* ---- Answers ------------------------------------------------------------------------------- */

struct answer {
	enum place place;
	char *at; /* head and body */
	size_t size;
};

static struct answer gemini, imagen, stored, token, done;

static struct answer
answer_make(enum place place, const char *headers, const char *body)
{
	struct answer answer = {.place = place};
	int size = asprintf(&answer.at, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s",
		headers, strlen(body), body);

	if (size < 0)
		err(1, "out of memory");
	answer.size = (size_t)size;
	return answer;
}

/* In chunks, as Google sends its answers over HTTP/1.1. */
static struct answer
answer_of_model(const char *before, const char *base64, const char *after)
{
	struct answer answer = {.place = MODEL};
	FILE *answer_file = open_memstream(&answer.at, &answer.size);
	char *body;
	int left = asprintf(&body, "%s%s%s", before, base64, after);

	if (!answer_file || left < 0)
		err(1, "out of memory");
	fputs("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\n"
	      "Transfer-Encoding: chunked\r\n\r\n",
		answer_file);
	for (const char *at = body; left > 0; at += CHUNK, left -= CHUNK) {
		int size = left < CHUNK ? left : CHUNK;
		fprintf(answer_file, "%x\r\n%.*s\r\n", (unsigned)size, size, at);
	}
	fputs("0\r\n\r\n", answer_file);
	fclose(answer_file);
	free(body);
	return answer;
}

static char *
file_read(const char *name, size_t *size)
{
	FILE *file = fopen(name, "r");
	struct stat status;
	char *bytes;

	if (!file || fstat(fileno(file), &status) != 0)
		err(1, "%s", name);
	*size = (size_t)status.st_size;
	bytes = malloc(*size);
	if (!bytes || fread(bytes, 1, *size, file) != *size)
		err(1, "%s", name);
	fclose(file);
	return bytes;
}

static void
answers_make(const char *picture)
{
	size_t size;
	char *bytes = file_read(picture, &size);
	char *base64 = malloc(size / 3 * 4 + 8);

	if (!base64)
		err(1, "out of memory");
	EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)bytes, (int)size);
	gemini = answer_of_model(
		"{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"inlineData\":"
		"{\"mimeType\":\"image/png\",\"data\":\"",
		base64,
		"\"}}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9,"
		"\"candidatesTokenCount\":1120,\"totalTokenCount\":1129},"
		"\"modelVersion\":\"gemini-3.1-flash-image\"}");
	imagen = answer_of_model(
		"{\"predictions\":[{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\"", base64,
		"\"}]}");
	stored = answer_make(BUCKET, "ETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\n", "");
	token = answer_make(ELSEWHERE,
		"Content-Type: application/json\r\nMetadata-Flavor: Google\r\n",
		"{\"access_token\":\"ya29.bench\",\"expires_in\":3599,\"token_type\":\"Bearer\"}");
	done = answer_make(ELSEWHERE, "", "");
	free(base64);
	free(bytes);
}

/* At the gate the last byte waits. */
static void
answer_send(int fd, const struct answer *answer)
{
	size_t first = answer->size - gate_is_at(answer->place);

	bytes_send(fd, answer->at, first);
	gate_pass(answer->place);
	bytes_send(fd, answer->at + first, answer->size - first);
}

/* ---- Requests ------------------------------------------------------------------------------ */

static void
gate_answer(int fd)
{
	char head[96], body[16];
	int size = snprintf(body, sizeof(body), "%u", gate_count());

	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size);
	message_send(fd, head, body, (size_t)size);
}

static const struct route {
	const char *part; /* of the request line */
	const struct answer *answer;
	enum place gate; /* where it moves */
} routes[] = {
	{":generateContent ", &gemini, ELSEWHERE},
	{":predict ", &imagen, ELSEWHERE},
	{"PUT /", &stored, ELSEWHERE},
	{"/token", &token, ELSEWHERE},
	{"POST /gate/model ", &done, MODEL},
	{"POST /gate/bucket ", &done, BUCKET},
	{"POST /gate/none ", &done, NOWHERE},
	{"GET /gate ", NULL, ELSEWHERE},
};

static const struct route *
route_of(char *request)
{
	request[strcspn(request, "\r")] = '\0';
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strstr(request, routes[i].part))
			return &routes[i];
	}
	errx(1, "nobody plays this: %s", request);
}

static void
serve(int fd)
{
	struct message request = {0};

	while (message_read(&request, fd)) {
		const struct route *route = route_of(request.at);

		if (route->gate != ELSEWHERE)
			gate_move(route->gate);
		if (route->answer)
			answer_send(fd, route->answer);
		else
			gate_answer(fd);
	}
	free(request.at);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		errx(1, "usage: upstream PORT PICTURE");
	answers_make(argv[2]);
	connections_serve(argv[1], serve);
}
