package classify

func wrongEnvironmentCause() Cause {
	return Cause{Code: WrongEnvironment, Group: "environment", Title: "Credentials of another environment", Fault: FaultClient}
}

func keyReusedAcrossEnvironmentsCause() Cause {
	return Cause{Code: KeyReusedAcrossEnvironments, Group: "environment", Title: "One key pair in two environments", Fault: FaultClient}
}

func unknownClientCause() Cause {
	return Cause{Code: UnknownClient, Group: "environment", Title: "Client unknown", Fault: FaultClient}
}
