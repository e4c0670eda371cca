/* store_death.h: kills a process at a chosen step of what it writes into a store.
 *
 * Steps are counted from 1. With SQLite they are the system calls that change a file or give up a
 * lock on it; a flush is none, since whoever is killed leaves behind all that the kernel has. With
 * Firestore they are for the caller to count: see firestore_proxy_watch. */
#ifndef STORE_DEATH_H
#define STORE_DEATH_H

/* This process dies of SIGKILL at its nth step from now, if it takes so many. */
void store_death_at(unsigned nth);

/* One step, which the process may not survive. */
void store_death_step(void);

#endif
