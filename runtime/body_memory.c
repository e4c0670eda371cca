#include "body_memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL (64 * 1024)             /* up to here malloc does as well */
#define KEPT_ROOM (4UL * 1024 * 1024) /* of each that is kept; unused pages are no memory yet */
#define KEPT_MOST 16

struct body {
	struct body *next;
	size_t room;
	char at[];
};

static struct {
	pthread_mutex_t lock;
	struct body *first;
	size_t count;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct body *
take_kept(void)
{
	struct body *body;

	pthread_mutex_lock(&kept.lock);
	body = kept.first;
	if (body) {
		kept.first = body->next;
		kept.count--;
	}
	pthread_mutex_unlock(&kept.lock);
	return body;
}

static bool
keep(struct body *body)
{
	bool room;

	pthread_mutex_lock(&kept.lock);
	room = kept.count < KEPT_MOST;
	if (room) {
		body->next = kept.first;
		kept.first = body;
		kept.count++;
	}
	pthread_mutex_unlock(&kept.lock);
	return room;
}

static struct body *
body_of(void *at)
{
	return (struct body *)((char *)at - offsetof(struct body, at));
}

static struct body *
body_new(size_t room)
{
	bool is_kept = room > SMALL && room <= KEPT_ROOM;
	struct body *body = is_kept ? take_kept() : NULL;

	if (body || room > PTRDIFF_MAX - sizeof(*body))
		return body;
	room = is_kept ? KEPT_ROOM : room;
	body = malloc(sizeof(*body) + room);
	if (body)
		body->room = room;
	return body;
}

char *
body_resize(char *old, size_t used, size_t room)
{
	struct body *body;

	if (old && body_of(old)->room >= room)
		return old;
	body = body_new(room);
	if (!body)
		return NULL;
	if (old)
		memcpy(body->at, old, used);
	body_free(old);
	return body->at;
}

void
body_free(void *at)
{
	if (!at)
		return;
	if (body_of(at)->room != KEPT_ROOM || !keep(body_of(at)))
		free(body_of(at));
}
