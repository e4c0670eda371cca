/* store_fault.h: what may befall a store in a SQLite file. One at a time. */
#ifndef STORE_FAULT_H
#define STORE_FAULT_H

/* Another process writes, and does not come to an end. */
void store_fault_lock(const char *path);
void store_fault_unlock(void);

/* That, and that there is no room for the store's log to grow in, though for other files; and what
 * is answered meanwhile. */
#define STORE_FAULTS 2
extern const struct store_fault {
	void (*begin)(const char *path), (*end)(void);
	int status;
	unsigned retry_after_s;
	const char *sentence;
} store_faults[STORE_FAULTS];

#endif
