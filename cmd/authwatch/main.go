// Command authwatch classifies auth failures in HTTP logs.
package main

func main() {}
