package store

import (
	"encoding/binary"
	"encoding/hex"
)

// What names an exchange or a token is mostly the digits of a UUID or of a digest.
const (
	plainText = iota
	digitText // hexadecimal digits, two of which are a byte
	uuidText  // those of a UUID, with its dashes
)

// digits writes a text, of lower-case hexadecimal digits in half the room.
func (e *encoder) digits(s string) {
	var room [64]byte
	form, packed := packDigits(s, room[:0])
	e.b = binary.AppendUvarint(e.b, uint64(len(packed))<<2|uint64(form))
	e.b = append(e.b, packed...)
}

func (d *decoder) digits() string {
	head, n := binary.Uvarint(d.b)
	length, form := head>>2, head&3
	if n <= 0 || length > uint64(len(d.b)-n) || form > uuidText || form == uuidText && length != 16 {
		d.b, d.damaged = nil, true
		return ""
	}
	packed := d.b[n : n+int(length)]
	d.b = d.b[n+int(length):]
	switch form {
	case digitText:
		return hex.EncodeToString(packed)
	case uuidText:
		s := hex.EncodeToString(packed)
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	}
	return string(packed)
}

// packDigits packs a text that digits can be written of, in room if there is enough.
func packDigits(s string, room []byte) (form int, packed []byte) {
	form = digitText
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		form = uuidText
	}
	high, half := byte(0), false
	for i := range len(s) {
		digit := s[i]
		switch {
		case '0' <= digit && digit <= '9':
			digit -= '0'
		case 'a' <= digit && digit <= 'f':
			digit -= 'a' - 10
		case form == uuidText && (i == 8 || i == 13 || i == 18 || i == 23):
			continue
		default:
			return plainText, []byte(s)
		}
		if half {
			room = append(room, high<<4|digit)
		}
		high, half = digit, !half
	}
	if half {
		return plainText, []byte(s)
	}
	return form, room
}
