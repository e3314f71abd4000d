// Package arm runs the gateway as the small boards do that it is made for: its
// tests, and the program itself at work for a minute, compiled for ARMv6 and
// ARM64 and run by an emulator of those processors.
package arm
