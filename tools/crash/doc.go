// Command crash kills a server with SIGKILL again and again while eight shippers send to it, and checks after each start
// what it still knows: every acknowledged record exactly once, nothing that was never sent, no batch in part, a sound database.
// With -flood it offers far more than the server can take, and looks at its answers, its memory and a quiet shipper beside the noisy one.
//
// Killing a process proves nothing about power: what the kernel holds survives it. That the database is told to reach the
// disk before an answer is given is for strace to show.
package main
