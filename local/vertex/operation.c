#include "local/vertex/operation.h"

#include "fn/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS_MOST 20000
#define FILMS_MOST 16 /* that are kept instead of being made again */

struct kept_film {
	const struct operation *operation;
	char *bytes;
	size_t size;
};

struct operations {
	pthread_mutex_t lock;   /* for all below; operations themselves do not change */
	struct fn_arena *arena; /* of operations and their texts */
	const struct operation *all[OPERATIONS_MOST];
	bool seen[OPERATIONS_MOST]; /* see operation_first_time */
	size_t count;
	struct kept_film films[FILMS_MOST];
	size_t next_film;
};

struct operations *
operations_new(void)
{
	struct operations *operations = calloc(1, sizeof(*operations));

	assert(operations);
	pthread_mutex_init(&operations->lock, NULL);
	operations->arena = fn_arena_new();
	return operations;
}

void
operations_drop(struct operations *operations)
{
	if (!operations)
		return;
	for (size_t i = 0; i < FILMS_MOST; i++)
		free(operations->films[i].bytes);
	fn_arena_drop(operations->arena);
	pthread_mutex_destroy(&operations->lock);
	free(operations);
}

static const struct operation *
copy(struct fn_arena *arena, const struct operation *operation)
{
	struct operation *made = fn_arena_alloc(arena, sizeof(*made));

	*made = *operation;
	made->name = fn_bytes_copy(arena, operation->name);
	made->bucket = fn_bytes_copy(arena, operation->bucket);
	made->object = fn_bytes_copy(arena, operation->object);
	made->filming.scene.prompt = fn_bytes_copy(arena, operation->filming.scene.prompt);
	return made;
}

bool
operations_add(
	struct operations *operations, const struct operation *operation, struct fn_error *err)
{
	pthread_mutex_lock(&operations->lock);
	bool has_room = operations->count < OPERATIONS_MOST;
	if (has_room)
		operations->all[operations->count++] = copy(operations->arena, operation);
	pthread_mutex_unlock(&operations->lock);
	return has_room ||
	       fn_fail(err, FN_RATE_LIMITED, "The stand-in remembers no more than %d operations.",
		       OPERATIONS_MOST);
}

const struct operation *
operations_nth(struct operations *operations, size_t nth)
{
	pthread_mutex_lock(&operations->lock);
	const struct operation *found = nth < operations->count ? operations->all[nth] : NULL;
	pthread_mutex_unlock(&operations->lock);
	return found;
}

const struct operation *
operations_named(struct operations *operations, struct fn_bytes name)
{
	const struct operation *found;

	for (size_t i = 0; (found = operations_nth(operations, i)); i++)
		if (fn_bytes_equal(found->name, name))
			break;
	return found;
}

int
operation_progress(const struct operation *operation)
{
	int64_t all = operation->done_ms - operation->begun_ms;
	int64_t passed = fn_now_ms() - operation->begun_ms;

	return passed < all ? (int)(passed * 100 / all) : 100;
}

bool
operation_has_film(const struct operation *operation)
{
	return operation_progress(operation) == 100 && !operation->safety.prompt_refused &&
	       !operation->safety.output_refused && operation->fault.kind != FAULT_CODE &&
	       operation->fault.kind != FAULT_EMPTY;
}

bool
operation_first_time(struct operations *operations, const struct operation *operation)
{
	bool is_first = false;

	pthread_mutex_lock(&operations->lock);
	for (size_t i = 0; i < operations->count; i++) {
		if (operations->all[i] == operation) {
			is_first = !operations->seen[i];
			operations->seen[i] = true;
		}
	}
	pthread_mutex_unlock(&operations->lock);
	return is_first;
}

/* ---- Films ----------------------------------------------------------------------------------- */

static bool
find_kept(struct operations *operations, const struct operation *operation, struct fn_arena *arena,
	struct fn_bytes *mp4)
{
	bool found = false;

	pthread_mutex_lock(&operations->lock);
	for (size_t i = 0; i < FILMS_MOST && !found; i++) {
		const struct kept_film *film = &operations->films[i];

		found = film->operation == operation;
		if (found)
			*mp4 = fn_bytes_copy(arena, (struct fn_bytes){film->bytes, film->size});
	}
	pthread_mutex_unlock(&operations->lock);
	return found;
}

static void
keep(struct operations *operations, const struct operation *operation, struct fn_bytes mp4)
{
	pthread_mutex_lock(&operations->lock);
	struct kept_film *film = &operations->films[operations->next_film++ % FILMS_MOST];
	free(film->bytes);
	*film = (struct kept_film){operation, malloc(mp4.size), mp4.size};
	assert(film->bytes);
	memcpy(film->bytes, mp4.at, mp4.size);
	pthread_mutex_unlock(&operations->lock);
}

bool
operation_film(struct operations *operations, const struct operation *operation,
	struct fn_arena *arena, struct fn_bytes *mp4, struct fn_error *err)
{
	if (operation->fault.kind == FAULT_NOT_A_PICTURE) {
		*mp4 = FN_BYTES("This is no film.");
		return true;
	}
	if (find_kept(operations, operation, arena, mp4))
		return true;
	TRY(film_make(&operation->filming, arena, mp4, err));
	keep(operations, operation, *mp4);
	return true;
}
