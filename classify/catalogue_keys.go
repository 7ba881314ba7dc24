package classify

func keyMismatchCause() Cause {
	return Cause{Code: KeyMismatch, Group: "keys", Title: "Signing key does not match the registered key", Fault: FaultClient}
}

func unknownKeyCause() Cause {
	return Cause{Code: UnknownKey, Group: "keys", Title: "Signing key unknown to the verifier", Fault: FaultClient}
}

func wrongAlgorithmCause() Cause {
	return Cause{Code: WrongAlgorithm, Group: "keys", Title: "Wrong signing algorithm", Fault: FaultClient}
}

func invalidSignatureCause() Cause {
	return Cause{Code: InvalidSignature, Group: "keys", Title: "Access token signature does not verify", Fault: FaultUnknown}
}

func badKeyFormatCause() Cause {
	return Cause{Code: BadKeyFormat, Group: "keys", Title: "Private key cannot be read", Fault: FaultClient}
}
