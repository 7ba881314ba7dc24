package store

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

func (c *cutter) number(form byte, n int64) {
	c.words = binary.AppendVarint(append(c.words, form), n)
}

// word writes the word at that place of the text in the shortest of its forms.
func (c *cutter) word(from, to int, class byteClass) {
	w := c.text[from:to]
	if class&inNumber != 0 {
		if n, ok := plainNumber(w); ok {
			c.plain(n)
			return
		}
	}
	if c.again(w, from, to) {
		return
	}
	if class&inUUID != 0 && len(w) == 36 {
		if b, ok := uuidBytes(w); ok {
			c.words = append(append(c.words, wordUUID), b[:]...)
			return
		}
	}
	if class&inHex != 0 && len(w) >= 8 && len(w)%2 == 0 {
		c.words = appendHexBytes(binary.AppendUvarint(append(c.words, wordHex), uint64(len(w)/2)), w)
		return
	}
	c.words = binary.AppendUvarint(append(c.words, wordText), uint64(len(w)))
	c.words = append(c.words, w...)
}

// again writes the number of an equal word that came earlier. It remembers one that did not come.
func (c *cutter) again(w []byte, from, to int) bool {
	latest := &c.latest[wordHash(w)%uint64(len(c.latest))]
	for i := *latest; i > 0; {
		one := &c.seen[i-1]
		if bytes.Equal(c.text[one.from:one.to], w) {
			if one.number < 256-wordRecent {
				c.words = append(c.words, byte(wordRecent+one.number))
			} else {
				c.words = binary.AppendUvarint(append(c.words, wordAgain), uint64(one.number))
			}
			return true
		}
		i = one.before
	}
	c.seen = append(c.seen, oneWord{from: int32(from), to: int32(to), number: int32(c.count), before: *latest})
	*latest = int32(len(c.seen))
	return false
}

// wordHash is made of the first and the last bytes of a word and of its length.
func wordHash(w []byte) uint64 {
	var first, last uint64
	switch n := len(w); {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(w), binary.LittleEndian.Uint64(w[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(w)), uint64(binary.LittleEndian.Uint32(w[n-4:]))
	default:
		first, last = uint64(w[0]), uint64(w[n-1])
	}
	return ((first^bits.RotateLeft64(last, 29))*0x9e3779b97f4a7c15 + uint64(len(w))) * 0x9e3779b97f4a7c15 >> 32
}

func (c *cutter) plain(n uint64) {
	const day = 86400
	switch from := int64(n) - c.base.Unix(); {
	case n < smallWords:
		c.words = append(c.words, byte(wordSmall+n))
	case n < 1<<40 && from > -day && from < day:
		c.words = binary.AppendVarint(append(c.words, wordSeconds), from)
	default:
		c.words = binary.AppendUvarint(append(c.words, wordNumber), n)
	}
}

// plainNumber reads the digits of a number that is written as strconv would.
func plainNumber(w []byte) (n uint64, ok bool) {
	if len(w) > 18 || (w[0] == '0' && len(w) > 1) {
		return 0, false
	}
	for _, c := range w {
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// uuidBytes reads 36 bytes, each a lower-case hexadecimal digit or a hyphen.
func uuidBytes(w []byte) (b [16]byte, ok bool) {
	if w[8] != '-' || w[13] != '-' || w[18] != '-' || w[23] != '-' {
		return b, false
	}
	le := binary.LittleEndian
	digits := [...]uint64{le.Uint64(w), uint64(le.Uint32(w[9:])) | uint64(le.Uint32(w[14:]))<<32,
		uint64(le.Uint32(w[19:])) | uint64(le.Uint32(w[24:]))<<32, le.Uint64(w[28:36])}
	const ones = ^uint64(0) / 255
	for i, d := range digits {
		if (d>>4|d>>6)&ones != ones { // bits that a digit has, or a letter, and no hyphen
			return b, false
		}
		le.PutUint32(b[4*i:], fourBytes(d))
	}
	return b, true
}

// appendHexBytes appends what lower-case hexadecimal digits stand for: an even number of them, and at least eight.
func appendHexBytes(b, digits []byte) []byte {
	le := binary.LittleEndian
	for len(digits) >= 8 {
		b, digits = le.AppendUint32(b, fourBytes(le.Uint64(digits))), digits[8:]
	}
	for ; len(digits) > 0; digits = digits[2:] {
		b = append(b, hexValue(digits[0])<<4|hexValue(digits[1]))
	}
	return b
}

func hexValue(digit byte) byte { return digit&15 + 9*(digit>>6) }

// fourBytes is what eight hexadecimal digits stand for; of both, the first is the lowest.
func fourBytes(digits uint64) uint32 {
	const ones = ^uint64(0) / 255
	values := digits&(15*ones) + 9*(digits>>6&ones)
	pairs := (values<<4 | values>>8) & 0x00ff00ff00ff00ff
	pairs = (pairs | pairs>>8) & 0x0000ffff0000ffff
	return uint32(pairs | pairs>>16)
}
