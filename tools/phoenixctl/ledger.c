#include "domain/ledger_audit.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/json.h"
#include "tools/phoenixctl/text.h"

static void
say_wrong(void *with, struct fn_bytes user, const char *sentence)
{
	struct tool *tool = with;
	struct fn_arena *arena = tool->call->arena;

	if (tool->wanted.json)
		tool_say_json(tool, json_pack("{s:o, s:o}", "user", json_of_text(arena, user),
					    "wrong", json_of_text(arena, fn_bytes(sentence))));
	else
		page_addf(&tool->page, INK_RED, "%.*s: %.*s\n", FN_ARG(text_clean(arena, user)),
			FN_ARG(text_clean(arena, fn_bytes(sentence))));
}

static void
say_sums(struct tool *tool, const struct ledger_audit *audit)
{
	if (tool->wanted.json)
		tool_say_json(tool,
			json_pack("{s:I, s:I, s:I}", "users", (json_int_t)audit->users, "entries",
				(json_int_t)audit->entries, "wrong", (json_int_t)audit->wrong));
	else
		page_addf(&tool->page, audit->wrong ? INK_RED : INK_GREEN,
			"%zu users, %zu entries: %zu ledgers are wrong.\n", audit->users,
			audit->entries, audit->wrong);
}

bool
ledger_check(struct tool *tool, struct fn_error *err)
{
	struct ledger_audit audit = {.tell = say_wrong, .with = tool};
	struct fn_bytes user = tool->wanted.user;

	tool->call->deadline_ms = 0; /* it takes as long as there are users */
	if (user.size > 0)
		TRY(ledger_audit_user(&audit, tool->call, tool->documents, user, err));
	else
		TRY(ledger_audit_all(&audit, tool->call, tool->documents, err));
	if (audit.users == 0) /* a proof of nothing is a name, or a STORE_URL, mistyped */
		return fn_fail(err, FN_NOT_FOUND, "the store has no ledger%s%.*s",
			user.size > 0 ? " of " : "", FN_ARG(user));
	say_sums(tool, &audit);
	if (audit.wrong == 0)
		return true;
	TRY(tool_flush(tool, err));
	return fn_fail(err, FN_PRECONDITION, "the ledger does not add up");
}
