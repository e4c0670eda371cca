#include "domain/names.h"

#include "domain/fields.h"
#include "domain/username.h"
#include "fn/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 4096 /* a person's is given by the id; the last one who came has it */
#define ID_SIZE 64
#define NAME_SIZE 128

struct name {
	char id[ID_SIZE], name[NAME_SIZE];
	size_t id_size, name_size; /* no id: nobody's place yet */
	int64_t read_at_ms;
};

struct names {
	pthread_mutex_t lock;
	struct name places[PLACES];
};

struct names *
names_open(void)
{
	struct names *names = calloc(1, sizeof(*names));

	assert(names);
	pthread_mutex_init(&names->lock, NULL);
	return names;
}

void
names_close(struct names *names)
{
	if (!names)
		return;
	pthread_mutex_destroy(&names->lock);
	free(names);
}

/* ---- What is remembered ---------------------------------------------------------------------- */

/* FNV-1a */
static struct name *
place_of(struct names *names, struct fn_bytes id)
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < id.size; i++)
		hash = (hash ^ (unsigned char)id.at[i]) * 16777619;
	return &names->places[hash % PLACES];
}

static bool
recall(struct names *names, struct fn_call *call, struct user *user)
{
	struct name *place = place_of(names, user->id);
	const struct fn_bytes id = {place->id, place->id_size};
	const struct fn_bytes name = {place->name, place->name_size};
	bool known;

	pthread_mutex_lock(&names->lock);
	known = fn_bytes_equal(id, user->id) && fn_now_ms() - place->read_at_ms < NAMES_KEPT_MS;
	if (known)
		user->username = fn_bytes_copy(call->arena, name);
	pthread_mutex_unlock(&names->lock);
	return known;
}

void
names_learn(struct names *names, const struct user *user)
{
	struct name *place = place_of(names, user->id);

	if (user->id.size > ID_SIZE || user->username.size > NAME_SIZE)
		return;
	pthread_mutex_lock(&names->lock);
	memcpy(place->id, user->id.at, user->id.size);
	memcpy(place->name, user->username.size ? user->username.at : "", user->username.size);
	place->id_size = user->id.size;
	place->name_size = user->username.size;
	place->read_at_ms = fn_now_ms();
	pthread_mutex_unlock(&names->lock);
}

/* ---- What is not ----------------------------------------------------------------------------- */

static size_t
index_of(const struct document_name *names, size_t count, struct fn_bytes id)
{
	size_t i = 0;

	while (i < count && !fn_bytes_equal(names[i].id, id))
		i++;
	return i;
}

/* Each person once, whatever there is of theirs. */
static bool
read_names(struct names *names, struct fn_call *call, struct document_store *documents,
	struct user **users, size_t count, struct fn_error *err)
{
	struct document_name *ids = fn_arena_alloc(call->arena, (count + 1) * sizeof(*ids));
	struct document *found = fn_arena_alloc(call->arena, (count + 1) * sizeof(*found));
	size_t unlike = 0;

	for (size_t i = 0; i < count; i++) {
		if (index_of(ids, unlike, users[i]->id) == unlike)
			ids[unlike++] = (struct document_name){PROFILES, users[i]->id};
	}
	TRY(document_store_get_many(documents, call, ids, unlike, found, err));
	for (size_t i = 0; i < count; i++) {
		const json_t *profile = found[index_of(ids, unlike, users[i]->id)].fields;
		struct fields from = {profile, NULL};

		users[i]->username = fields_text(&from, "username");
		names_learn(names, users[i]);
	}
	return true;
}

bool
names_fill(struct names *names, struct fn_call *call, struct document_store *documents,
	struct creation *creations, size_t count, struct fn_error *err)
{
	struct user **unknown = fn_arena_alloc(call->arena, (count + 1) * sizeof(struct user *));
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct user *owner = &creations[i].owner;

		owner->username = (struct fn_bytes){0};
		if (!recall(names, call, owner))
			unknown[left++] = owner;
	}
	return left == 0 || read_names(names, call, documents, unknown, left, err);
}
