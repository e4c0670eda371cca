/* job_queue.h: at-least-once queue of jobs, each held under a lease.
 *
 * The document store is the truth and this queue its schedule: a job's end is written there first
 * and here last, so that whatever the queue forgets is done again as a no-op. What it keeps to:
 *
 * - A claimed job is hidden while its worker renews the lease. Who dies stops renewing, and the
 *   job is claimed elsewhere; what it had noted (the operation that was paid for) comes along.
 * - `fence` grows with each claim of a job, also across a failover: a document that remembers the
 *   highest one it has seen can refuse a worker that was passed over.
 * - Order is by score, a moment: when the job was enqueued, put off where its user has others
 *   outstanding (fairness) and by its class (priority). It never changes, so nobody starves.
 * - Of each user no more jobs run at once than allowed, whatever waits, and no claim looks at a
 *   job that may not run.
 * - All times are the server's. A caller's calendar may be wrong by hours.
 *
 * Every verb may be repeated with the same arguments, and the backend itself does so when a
 * connection breaks before the reply; a reserve that is repeated costs its user another turn. What
 * fails with FN_UPSTREAM or FN_DEADLINE may have been carried out all the same. Text and lists
 * that come back live in the call's arena.
 *
 * Backend: job_queue_redis.c ("redis:", "rediss:"; one script and one round trip per verb). */
#ifndef JOB_QUEUE_H
#define JOB_QUEUE_H

#include "fn/call.h"
#include "fn/config.h"

struct job_queue; /* opaque; safe for many threads */

struct job_queue_config {
	const char *url;     /* REDIS_URL */
	const char *ca_file; /* REDIS_CA_FILE; empty: the system's authorities */
	long lease_ms;       /* QUEUE_LEASE_MS: renew at a third of it */
};

extern const struct fn_setting job_queue_settings[];

/* The config's text is borrowed until the queue is closed. Nothing is connected yet.
 * FN_INVALID: a setting is wrong; the message names the variable, never the password. */
FN_MUST bool job_queue_open(
	struct job_queue **, const struct job_queue_config *, struct fn_error *);
void job_queue_close(struct job_queue *);

enum job_state {
	JOB_UNKNOWN, /* never enqueued, ended long ago, or lost */
	JOB_WAITING,
	JOB_DELAYED, /* until a moment at which it waits again */
	JOB_ACTIVE,
	JOB_SUCCEEDED,
	JOB_CANCELED,
	JOB_DEAD, /* a dead letter: rests until it is replayed or dropped */
};

const char *job_state_name(enum job_state); /* "waiting" */

/* ---- Enqueue ------------------------------------------------------------------------------- */

#define JOB_ID_MOST 64 /* bytes, as of users' ids: visible ASCII, at least one */
#define JOB_PAYLOAD_MOST 16384

/* What decides who is served first. */
struct job_class {
	int64_t penalty_ms; /* how far others may come from behind: paid 0, free 300 s */
	int64_t quantum_ms; /* by how much a job puts off the next one of its user */
};

struct job_order {
	struct fn_bytes id, user;
	struct fn_bytes payload;
	struct fn_bytes fingerprint; /* of what was asked for, at most 64 bytes */
	struct job_class class;

	/* As the document remembers them, for what has a place in the order: reserved, or had
	 * before the queue lost it. Else zero. No limit keeps such a job out. */
	int64_t score;
	uint64_t fence;
	struct fn_bytes operation;
};

struct job_ticket {
	enum job_state state;
	bool existed;         /* it was there already; nothing but what was broken is changed */
	bool runnable;        /* a worker could start it now: ring for one */
	int64_t score;        /* for the document */
	size_t position, of;  /* 1 is next; 0: it does not wait */
	int64_t starts_in_ms; /* an estimate; -1: unknown */
};

/* A place in the order for a job that is enqueued with this score as soon as its document is
 * written, which so has the score from the first. FN_BUSY, FN_RATE_LIMITED: as below; between the
 * two steps others may come, so that a few more wait than may. */
FN_MUST bool job_queue_reserve(struct job_queue *, struct fn_call *, struct fn_bytes user,
	const struct job_class *, int64_t *score, struct fn_error *);

/* FN_UNPROCESSABLE: the id belongs to an order with another fingerprint.
 * FN_BUSY: as many jobs wait as may. FN_RATE_LIMITED: as many of this user.
 * FN_INVALID: an id, payload or fingerprint is empty or too long. */
FN_MUST bool job_queue_enqueue(struct job_queue *, struct fn_call *, const struct job_order *,
	struct job_ticket *, struct fn_error *);

/* ---- Claim, renew, finish ------------------------------------------------------------------ */

/* One per thread that claims; kept from claim to claim, so that a claim whose reply was lost
 * gives the same job again. */
struct job_worker {
	char id[48];     /* the name and random digits: never used twice */
	uint64_t claims; /* the number of the current one */
};

void job_worker_init(struct job_worker *, const char *name);

struct job {
	struct fn_bytes id, user, payload;
	struct fn_bytes token;     /* of this claim */
	uint64_t fence;            /* write only where the document has seen none above it */
	struct fn_bytes operation; /* poll this one; empty: none is known */
	int64_t call_age_ms; /* a paid call was begun so long ago and named no operation; -1 */
	unsigned attempt;    /* 1 on the first claim */
	unsigned failures;   /* before this attempt */
	unsigned crashes;    /* leases that ran out */
	bool last_failure;   /* JOB_RETRY would make it a dead letter: refund before */
	bool cancel_wanted;
	int64_t lease_until_ms; /* on fn_now_ms()'s clock, counted from before the claim was sent */
};

enum job_claim_kind {
	JOB_CLAIMED,
	JOB_IDLE,    /* nothing to run */
	JOB_PAUSED,  /* by an operator */
	JOB_FULL,    /* as many run, or were begun this minute, as may */
	JOB_REBUILD, /* the queue is new or has lost everything: see job_queue_rebuild_begin */
};

struct job_claim {
	enum job_claim_kind kind;
	struct job job;   /* JOB_CLAIMED */
	int64_t again_ms; /* else: ask again after so long at the latest, or wait so long */
	int64_t due_ms;   /* else: a delay ends, or a call may be begun, in so long; -1: unknown */
	bool reconcile;   /* the server's history has changed (restart, failover) since the last
			   * rebuild, so that the newest writes may be missing */
	bool was_ours;    /* job_queue_finish_and_claim: false where the finish was refused */
};

/* Also hands back jobs whose lease ran out and those whose delay is over, as renew does. */
FN_MUST bool job_queue_claim(struct job_queue *, struct fn_call *, struct job_worker *,
	struct job_claim *, struct fn_error *);

enum job_hold {
	JOB_HELD,          /* the lease is extended */
	JOB_CANCEL_WANTED, /* the same, and the user wants it to stop */
	JOB_TAKEN,         /* it is another's, or has ended: drop it silently */
	JOB_FORGOTTEN,     /* the queue knows nothing of it: go on, the document decides */
};

struct job_renewal {
	struct job *job; /* lease_until_ms is set where it is held */
	int progress;    /* percent; -1: not known */
	enum job_hold hold;
};

/* Extends the leases of a worker's jobs, all in one round trip. A job whose lease ran out, or
 * whose claim was lost in a failover, is taken back if nobody else has it. */
FN_MUST bool job_queue_renew(struct job_queue *, struct fn_call *, struct job_renewal *,
	size_t count, struct fn_error *);

/* Twice around a call that costs: with an empty name just before it, which FN_PRECONDITION
 * refuses to all but the holder, and which takes the place of an operation known before; with the
 * operation's name once it is known, which is kept also for a holder that lost its lease, unless
 * another operation is known by then.
 * FN_NOT_FOUND: the queue knows nothing of the job. */
FN_MUST bool job_queue_set_operation(struct job_queue *, struct fn_call *, const struct job *,
	struct fn_bytes operation, struct fn_error *);

enum job_verdict {
	JOB_SUCCESS,
	JOB_STOPPED, /* canceled */
	JOB_RETRY,   /* it failed; the delay is the caller's, jitter included */
	JOB_RELEASE, /* not its fault (a deploy, a quota): given back, not counted */
	JOB_FAILURE, /* for good */
};

struct job_end {
	enum job_verdict verdict;
	int64_t delay_ms;     /* JOB_RETRY, JOB_RELEASE; 0: at once, in its old place */
	bool fresh;           /* forget the operation: a next attempt begins another */
	struct fn_bytes note; /* why, for the operator; at most 1024 bytes of it are kept */
	enum job_state state; /* set: what became of the job */
};

/* Repeating it with the token of the same claim is no error.
 * FN_PRECONDITION: the lease had ended and the job is another's, or has ended.
 * FN_NOT_FOUND: the queue knows nothing of the job. */
FN_MUST bool job_queue_finish(struct job_queue *, struct fn_call *, const struct job *,
	struct job_end *, struct fn_error *);

/* Both in one round trip. True once there is an answer to the claim. */
FN_MUST bool job_queue_finish_and_claim(struct job_queue *, struct fn_call *, const struct job *,
	struct job_end *, struct job_worker *, struct job_claim *, struct fn_error *);

/* Waits until a job may be there and claims then, in one round trip, so that a job starts as soon
 * as it can. It waits for at most `wait_ms` and a third of the lease, which is counted from the
 * beginning of the wait; a worker that is gone meanwhile may be given a job all the same, which
 * others get when that lease ends. */
FN_MUST bool job_queue_wait_and_claim(struct job_queue *, struct fn_call *, int64_t wait_ms,
	struct job_worker *, struct job_claim *, struct fn_error *);

/* Hands back what is due, for a scheduler's tick when no worker is up, and forgets workers that
 * were not seen for ten minutes. `ready`: how many jobs a worker could start now. */
FN_MUST bool job_queue_sweep(
	struct job_queue *, struct fn_call *, size_t *ready, struct fn_error *);

/* ---- One job ------------------------------------------------------------------------------- */

struct job_info {
	enum job_state state;
	struct fn_bytes id, user, payload, operation, note, worker; /* empty: none */
	int64_t score;
	int64_t enqueued_ms;  /* Unix */
	int64_t at_ms;        /* Unix: end of the lease, of the delay, or time of death; 0: none */
	int64_t seen_ms;      /* Unix: when this was so, by the clock of the two above */
	size_t position, of;  /* as in a ticket */
	int64_t starts_in_ms; /* as in a ticket */
	int progress;         /* percent; -1: not known */
	unsigned attempts, failures, crashes;
	bool cancel_wanted;
};

/* A job that the queue does not know is JOB_UNKNOWN, not an error. */
FN_MUST bool job_queue_get(struct job_queue *, struct fn_call *, struct fn_bytes id,
	struct job_info *, struct fn_error *);

/* A job that waits, or whose worker is gone, ends at once (JOB_CANCELED); one that runs stays
 * JOB_ACTIVE, and its worker learns of it when it renews, or the next one when it claims it. All
 * others stay what they are. */
FN_MUST bool job_queue_cancel(struct job_queue *, struct fn_call *, struct fn_bytes id,
	enum job_state *, struct fn_error *);

/* Dead letters only; what is none is FN_PRECONDITION. A replay starts with no failures, keeps the
 * operation unless its last end was fresh, and is queued as if it were new. */
FN_MUST bool job_queue_replay(struct job_queue *, struct fn_call *, struct fn_bytes id,
	const struct job_class *, struct job_ticket *, struct fn_error *);
FN_MUST bool job_queue_drop(
	struct job_queue *, struct fn_call *, struct fn_bytes id, struct fn_error *);

/* ---- Operators ----------------------------------------------------------------------------- */

#define JOB_LIST_MOST 100

/* Waiting in order of service, active and delayed by when they are due, dead newest first;
 * `count` goes in with how many are wanted and comes back with how many there are. */
FN_MUST bool job_queue_list(struct job_queue *, struct fn_call *, enum job_state, size_t skip,
	const struct job_info **, size_t *count, struct fn_error *);

struct job_worker_info {
	struct fn_bytes id;
	struct fn_bytes job; /* last claimed; empty: none */
	int64_t silent_ms;   /* since its last claim */
	bool busy;           /* `job` is still its own */
};

FN_MUST bool job_queue_workers(struct job_queue *, struct fn_call *,
	const struct job_worker_info **, size_t *count, struct fn_error *);

/* As numbers of a manifest would have them; 0: no limit. */
struct job_limits {
	long running;          /* QUEUE_RUNNING: jobs at once, in all */
	long running_per_user; /* QUEUE_RUNNING_PER_USER */
	long waiting;          /* QUEUE_WAITING */
	long waiting_per_user; /* QUEUE_WAITING_PER_USER */
	long calls_per_minute; /* QUEUE_CALLS_PER_MINUTE: claims of jobs without an operation */
	long failures;         /* QUEUE_FAILURES: the last of them makes a dead letter; not 0 */
	long crashes;          /* QUEUE_CRASHES: the same for leases that ran out; not 0 */
};

extern const struct fn_setting job_limits_settings[];

/* To be called by each worker's process when it starts. The limits live in the queue until others
 * are set. */
FN_MUST bool job_queue_set_limits(
	struct job_queue *, struct fn_call *, const struct job_limits *, struct fn_error *);

/* How many jobs of this user run at once; 0: as for everybody. */
FN_MUST bool job_queue_set_user_limit(struct job_queue *, struct fn_call *, struct fn_bytes user,
	long running, struct fn_error *);

FN_MUST bool job_queue_pause(struct job_queue *, struct fn_call *, struct fn_error *);
FN_MUST bool job_queue_resume(struct job_queue *, struct fn_call *, struct fn_error *);

struct job_queue_status {
	size_t waiting, ready, active, delayed, dead; /* ready: of those waiting, may start now */
	uint64_t enqueued, claimed, succeeded, canceled, failed, crashed, released, buried;
	int64_t gap_ms; /* between claims while jobs wait; -1: unknown */
	bool paused, rebuilt;
	struct job_limits limits;
};

FN_MUST bool job_queue_status(
	struct job_queue *, struct fn_call *, struct job_queue_status *, struct fn_error *);

/* ---- Rebuild ------------------------------------------------------------------------------- */

/* After JOB_REBUILD all unfinished jobs are enqueued again from their documents, with score,
 * fence and operation; after `reconcile` those touched in the last ten minutes. Both are done
 * under one lock, which is the worker's for ten seconds from each begin, lest everybody wait for
 * one that has died: so begin again with each job. `mine` is false while another worker is at it.
 * Enqueueing a job that is there changes nothing, so two at once do no harm. */
FN_MUST bool job_queue_rebuild_begin(struct job_queue *, struct fn_call *,
	const struct job_worker *, bool *mine, struct fn_error *);

/* Lets claims through, and takes the server's present history as the one to compare with.
 * FN_PRECONDITION: the lock was lost; begin again. */
FN_MUST bool job_queue_rebuild_end(struct job_queue *, struct fn_call *, const struct job_worker *,
	const struct job_limits *, struct fn_error *);

#endif
