package modbus

// IdentityFits reports for what stands behind the function of an answer to a read
// of an identity whether it can be read, and whether as an RTU frame it would be
// found to have its own length.
func IdentityFits(content []byte, category byte) (read, length bool) {
	_, err := parseIdentity(content)
	frame := append(append([]byte{1, readIdentity}, content...), 0, 0)
	n, fits := identityLength(frame, []byte{1, readIdentity, identityKind, category, 0})
	return err == nil, fits && n == len(frame)
}
