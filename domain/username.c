#include "domain/username.h"

#include "domain/fields.h"
#include "domain/writes.h"
#include "fn/clock.h"

#include <ctype.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NAMES "usernames" /* by key */
#define ID_PREFIX "user_" /* what an id looks like is no name */

/* ---- Names --------------------------------------------------------------------------------- */

/* Whatever the locale. */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_name(struct fn_bytes text)
{
	if (text.size < USERNAME_LEAST || text.size > USERNAME_MOST || !is_letter(text.at[0]))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.at[i];

		if (c == '_' ? i + 1 == text.size || text.at[i + 1] == '_'
			     : !is_letter(c) && !(c >= '0' && c <= '9'))
			return false;
	}
	return true;
}

static const char *
look_of(char c)
{
	switch (c) {
	case 'i':
	case '1':
		return "l";
	case '0':
		return "o";
	case 'm':
		return "rn";
	default:
		return NULL;
	}
}

/* What names that look alike have in common. */
static struct fn_bytes
key_of(struct fn_bytes name, struct fn_arena *arena)
{
	struct fn_builder key = {.arena = arena};

	for (size_t i = 0; i < name.size; i++) {
		char c = (char)tolower((unsigned char)name.at[i]);
		const char *look = look_of(c);

		fn_add(&key, look ? fn_bytes(look) : (struct fn_bytes){&c, 1});
	}
	return fn_built(&key);
}

/* Those that sound like us, and those that stand in paths. */
static bool
is_reserved(struct fn_bytes name, struct fn_bytes key, struct fn_arena *arena)
{
	static const char *const reserved[] = {"about", "abuse", "account", "admin",
		"administrator", "anonymous", "api", "billing", "contact", "creations", "deleted",
		"drafts", "everyone", "explore", "feed", "guest", "help", "images", "legal",
		"login", "logout", "moderator", "news", "nobody", "null", "official", "owner",
		"phoenix", "postmaster", "privacy", "profile", "root", "search", "security",
		"settings", "signin", "signup", "staff", "status", "support", "system", "team",
		"terms", "undefined", "user", "username", "users", "videos", "webmaster", "www"};

	for (size_t i = 0; i < COUNT(reserved); i++) {
		if (fn_bytes_equal(key, key_of(fn_bytes(reserved[i]), arena)))
			return true;
	}
	return fn_bytes_starts_nocase(name, ID_PREFIX);
}

static bool
check(struct fn_bytes name, struct fn_bytes key, struct fn_arena *arena, struct fn_error *err)
{
	if (!is_name(name))
		return fn_fail(err, FN_INVALID,
			"username: %d to %d letters from a to z, digits and single \"_\" between "
			"them are wanted, and a letter first",
			USERNAME_LEAST, USERNAME_MOST);
	return !is_reserved(name, key, arena) ||
	       fn_fail(err, FN_CONFLICT, "username: \"%.*s\" is reserved", FN_ARG(name));
}

/* ---- Documents ----------------------------------------------------------------------------- */

struct profile {
	struct fn_bytes username, key; /* empty: none yet */
	struct fn_bytes held_key;      /* of the name before; empty: none */
	const json_t *fields;          /* NULL: there is no document yet */
	int64_t version;
};

struct name {
	struct fn_bytes user;  /* id */
	int64_t held_until_ms; /* Unix; 0: in use */
	int64_t version;       /* 0: there is no document */
};

static bool
profile_read(struct profile *profile, struct fn_call *call, struct document_store *documents,
	struct fn_bytes user, struct fn_error *err)
{
	struct document document;
	struct fn_error why;

	if (!document_store_get(documents, call, PROFILES, user, &document, &why)) {
		*profile = (struct profile){0};
		if (why.code != FN_NOT_FOUND)
			*err = why;
		return why.code == FN_NOT_FOUND;
	}
	struct fields from = {document.fields, NULL};
	const struct profile read = {
		.username = fields_text(&from, "username"),
		.key = fields_text(&from, "username_key"),
		.held_key = fields_text(&from, "held_key"),
		.fields = document.fields,
		.version = document.version,
	};
	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, PROFILES "/%.*s: no usable %s in it", FN_ARG(user),
			from.wrong);
	*profile = read;
	return true;
}

static bool
name_from_document(struct name *name, const struct document *document, struct fn_error *err)
{
	struct fields from = {document->fields, NULL};

	if (document->version == 0) {
		*name = (struct name){0};
		return true;
	}
	const struct name read = {
		.user = fields_text(&from, "user_id"),
		.held_until_ms = fields_number(&from, "held_until_ms"),
		.version = document->version,
	};
	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, NAMES ": no usable %s in one", from.wrong);
	*name = read;
	return true;
}

static struct document_write
name_write(struct fn_call *call, enum document_write_kind kind, struct fn_bytes key,
	const struct name *name)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "user_id", fields_text_or_null(name->user));
	fields_put(fields, "held_until_ms", json_integer(name->held_until_ms));
	return (struct document_write){
		.kind = kind,
		.collection = NAMES,
		.id = key,
		.fields = fields,
		.if_version = name->version,
	};
}

static struct document_write
profile_write(struct fn_call *call, struct fn_bytes user, const struct profile *profile)
{
	json_t *fields =
		profile->fields ? json_copy((json_t *)(uintptr_t)profile->fields) : json_object();

	fields_keep(call, fields);
	fields_put(fields, "username", fields_text_or_null(profile->username));
	fields_put(fields, "username_key", fields_text_or_null(profile->key));
	fields_put(fields, "held_key", fields_text_or_null(profile->held_key));
	return (struct document_write){
		.kind = profile->version == 0 ? DOCUMENT_CREATE : DOCUMENT_REPLACE,
		.collection = PROFILES,
		.id = user,
		.fields = fields,
		.if_version = profile->version,
	};
}

/* ---- Claim --------------------------------------------------------------------------------- */

static bool
is_free(const struct name *name, struct fn_bytes user)
{
	return name->version == 0 || fn_bytes_equal(name->user, user) ||
	       (name->held_until_ms != 0 && name->held_until_ms <= fn_unix_ms());
}

/* The name that is given up is ours as long as the profile is as it was read, so that its document
 * need not be. */
static void
add_old_names(struct writes *writes, struct fn_call *call, struct fn_bytes user,
	const struct profile *profile, struct fn_bytes key, const struct name *held)
{
	const struct name old = {.user = user, .held_until_ms = fn_unix_ms() + USERNAME_HELD_MS};

	if (profile->key.size == 0 || fn_bytes_equal(profile->key, key))
		return;
	writes_add(writes, name_write(call, DOCUMENT_REPLACE, profile->key, &old));
	if (held->version != 0 && fn_bytes_equal(held->user, user) &&
		!fn_bytes_equal(profile->held_key, key))
		writes_add(writes, (struct document_write){
					   .kind = DOCUMENT_DELETE,
					   .collection = NAMES,
					   .id = profile->held_key,
					   .if_version = held->version,
				   });
}

static void
add_new_name(struct writes *writes, struct fn_call *call, struct fn_bytes user,
	const struct profile *profile, struct fn_bytes username, struct fn_bytes key,
	const struct name *wanted)
{
	const struct name name = {.user = user, .version = wanted->version};
	bool is_rename = !fn_bytes_equal(profile->key, key);
	const struct profile renamed = {
		.username = username,
		.key = key,
		.held_key = is_rename ? profile->key : profile->held_key,
		.fields = profile->fields,
		.version = profile->version,
	};

	writes_add(writes, name_write(call, name.version == 0 ? DOCUMENT_CREATE : DOCUMENT_REPLACE,
				   key, &name));
	writes_add(writes, profile_write(call, user, &renamed));
}

/* Leaves `writes` empty where there is nothing to change. */
static bool
compose(struct writes *writes, struct fn_call *call, struct document_store *documents,
	struct fn_bytes user, struct fn_bytes username, struct fn_bytes key, struct fn_error *err)
{
	struct document found[2];
	struct name wanted, held;
	struct profile profile;

	TRY(profile_read(&profile, call, documents, user, err));
	if (fn_bytes_equal(profile.username, username))
		return true;
	const struct document_name names[] = {
		{NAMES, key}, {NAMES, profile.held_key.size > 0 ? profile.held_key : key}};

	TRY(document_store_get_many(documents, call, names, COUNT(names), found, err));
	TRY(name_from_document(&wanted, &found[0], err));
	TRY(name_from_document(&held, &found[1], err));
	if (!is_free(&wanted, user))
		return fn_fail(err, FN_CONFLICT, "username: \"%.*s\" is taken", FN_ARG(username));
	add_old_names(writes, call, user, &profile, key, &held);
	add_new_name(writes, call, user, &profile, username, key, &wanted);
	return true;
}

bool
username_claim(struct user *user, struct fn_call *call, struct document_store *documents,
	struct fn_bytes name, struct fn_error *err)
{
	struct fn_bytes key = key_of(name, call->arena);
	struct fn_retry retry = WRITES_RETRY;
	struct fn_error why;

	TRY(check(name, key, call->arena, err));
	do {
		struct writes writes = {0};

		TRY(compose(&writes, call, documents, user->id, name, key, err));
		if (writes.count == 0 || writes_commit(&writes, call, documents, &why)) {
			user->username = name;
			return true;
		}
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}

/* ---- Look ---------------------------------------------------------------------------------- */

bool
username_read(struct user *user, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	struct profile profile;

	TRY(profile_read(&profile, call, documents, user->id, err));
	user->username = profile.username;
	return true;
}

static bool
find_owner(struct fn_bytes *owner, struct fn_call *call, struct document_store *documents,
	struct fn_bytes key, struct fn_error *err)
{
	struct document document;
	struct name name;

	TRY(document_store_get(documents, call, NAMES, key, &document, err));
	TRY(name_from_document(&name, &document, err));
	if (name.held_until_ms != 0 && name.held_until_ms <= fn_unix_ms())
		return fn_fail(err, FN_NOT_FOUND, "the name is nobody's any more");
	*owner = name.user;
	return true;
}

bool
username_find(struct user *user, struct fn_call *call, struct document_store *documents,
	struct fn_bytes name, struct fn_error *err)
{
	struct user found = {0};
	struct fn_error why;

	if (!is_name(name))
		return fn_fail(err, FN_NOT_FOUND, "there is nobody of this name");
	if (!find_owner(&found.id, call, documents, key_of(name, call->arena), &why)) {
		if (why.code == FN_NOT_FOUND)
			return fn_fail(err, FN_NOT_FOUND, "there is nobody of this name");
		*err = why;
		return false;
	}
	TRY(username_read(&found, call, documents, err));
	*user = found;
	return true;
}
