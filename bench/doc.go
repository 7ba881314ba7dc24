// Command bench is authwatch's yardstick. It generates log files from a seed, sends them to the real authwatch binary
// over HTTP, and sets its figures beside a plain reference pipeline and beside the limits of the machine, all in one run:
// only ratios of one run mean anything, because machines differ and are shared. It is no part of the product, measures
// nothing that it has not checked to be right, and needs Linux: memory and CPU of a process are read from /proc.
//
// docs/performance.md says what each figure means.
package main
