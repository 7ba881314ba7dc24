package classify

func jtiReuseCause() Cause {
	return Cause{Code: JTIReuse, Group: "replay", Title: "Assertion used twice (jti reuse)", Fault: FaultClient}
}
