/* ports.h: TCP ports of this machine that nobody uses, below those that the kernel gives to
 * clients: none of those can take one before its server is up, or while it is down. */
#ifndef PORTS_H
#define PORTS_H

unsigned free_port(void);
unsigned free_ports(unsigned count); /* the first of so many in a row */

#endif
