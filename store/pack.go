package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"authwatch/classify"

	"github.com/klauspost/compress/s2"
)

// The body of a failure: its form, the time of the event from that of the id and the time of receipt from that of the
// event in milliseconds (varints), and then
//   - packedWhole: the texts with their lengths, compressed;
//   - packedWords: the ids of two templates (uvarints), of record and of verdict, and the words that they lack.
const (
	packedWhole = 1
	packedWords = 2
)

// packedAhead is how far an event may lie after its receipt to be kept by templates, which retention removes by the time of receipt.
const packedAhead = 24 * time.Hour

var errDamagedBody = errors.New("the stored body is damaged")

// headTexts is how many texts a failure has beside record and verdict.
const headTexts = 8

func (f *Failure) head() [headTexts]*string {
	return [...]*string{&f.Source, &f.RecordID, &f.RequestID, &f.TraceID, &f.Service, &f.Endpoint, &f.Method, &f.URL}
}

// pack normalizes f and makes its body.
func (t *templates) pack(f *Failure, now time.Time) error {
	f.normalize(now)
	for _, text := range f.head() {
		*text = cleanText(*text)
	}
	if !utf8.Valid(f.Record) {
		f.Record = bytes.ToValidUTF8(f.Record, []byte("\uFFFD"))
	}
	c := t.cutters.Get().(*cutter)
	defer t.cutters.Put(c)
	verdict, err := c.verdicts.write(&f.Verdict)
	if err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	occurred, received := toMillis(f.Verdict.Time), toMillis(f.ReceivedAt)
	c.body = binary.AppendVarint(append(c.body[:0], packedWords), occurred-idAt(occurred).millis())
	c.body = binary.AppendVarint(c.body, received-occurred)
	if f.Verdict.Time.Sub(f.ReceivedAt) > packedAhead || !t.packWords(c, f, verdict, dayOf(now)) {
		c.body[0] = packedWhole
		t.packWhole(c, f, verdict)
	}
	f.body = bytes.Clone(c.body)
	return nil
}

// packWords appends the texts of f by templates. It reports false when there are none yet, or no text can have one.
func (t *templates) packWords(c *cutter, f *Failure, verdict []byte, today int64) bool {
	c.reset(f.Verdict.Time)
	for _, text := range f.head() {
		c.text = append(append(c.text, *text...), templateField)
	}
	c.text = append(c.text, f.Record...)
	whole := len(c.text)
	c.text = append(c.text, verdict...)
	if bytes.IndexByte(c.text, templateMark) >= 0 || bytes.Count(c.text, []byte{templateField}) > headTexts {
		return false
	}
	c.takeApart(0, whole)
	middle := len(c.template)
	c.takeApartBut(whole, c.verdicts.plain)
	record, reason := t.find(c.template[:middle], today), t.find(c.template[middle:], today)
	if record == nil || reason == nil {
		return false
	}
	c.body = binary.AppendUvarint(binary.AppendUvarint(c.body, uint64(record.id)), uint64(reason.id))
	c.body = append(c.body, c.words...)
	return true
}

func (t *templates) packWhole(c *cutter, f *Failure, verdict []byte) {
	texts := make([]byte, 0, len(f.Record)+len(verdict)+256)
	for _, text := range f.head() {
		texts = append(binary.AppendUvarint(texts, uint64(len(*text))), *text...)
	}
	texts = append(binary.AppendUvarint(texts, uint64(len(f.Record))), f.Record...)
	c.body = append(c.body, s2.Encode(nil, append(texts, verdict...))...)
}

// A verdictReader decodes verdicts one after the other, with one buffer for all of them.
type verdictReader struct {
	text bytes.Reader
	dec  *json.Decoder
}

func newVerdictReader() *verdictReader {
	r := &verdictReader{}
	r.dec = json.NewDecoder(&r.text)
	r.dec.UseNumber() // observed values keep every digit
	return r
}

// read decodes a verdict. After an error the reader is of no more use.
func (r *verdictReader) read(text []byte, v *classify.Verdict) error {
	r.text.Reset(text)
	return r.dec.Decode(v)
}

// unpack reads the body of a row.
func (t *templates) unpack(ctx context.Context, from querier, f *Failure, verdicts *verdictReader) error {
	verdict, err := t.unpackTexts(ctx, from, f)
	if err != nil {
		return err
	}
	at := f.Verdict.Time
	if err := verdicts.read(verdict, &f.Verdict); err != nil {
		return fmt.Errorf("decode verdict: %w", err)
	}
	f.setID(f.id)
	f.Verdict.Time = at
	return nil
}

// unpackTexts reads the body of a row and leaves the verdict as its text, which takes longer to decode than all the rest; only its time is set.
func (t *templates) unpackTexts(ctx context.Context, from querier, f *Failure) (verdict []byte, err error) {
	form, rest := byte(0), f.body
	if len(rest) > 0 {
		form, rest = rest[0], rest[1:]
	}
	ahead, n := binary.Varint(rest)
	if n <= 0 {
		return nil, errDamagedBody
	}
	rest = rest[n:]
	lag, n := binary.Varint(rest)
	if n <= 0 {
		return nil, errDamagedBody
	}
	rest = rest[n:]
	at := time.UnixMilli(f.id.millis() + ahead).UTC()
	switch form {
	case packedWhole:
		verdict, err = t.unpackWhole(f, rest)
	case packedWords:
		verdict, err = t.unpackWords(ctx, from, f, at, rest)
	default:
		err = errDamagedBody
	}
	f.Verdict.Time, f.ReceivedAt, f.body = at, at.Add(time.Duration(lag)*time.Millisecond), nil
	return verdict, err
}

func (t *templates) unpackWhole(f *Failure, packed []byte) (verdict []byte, err error) {
	texts, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, err
	}
	next := func() []byte {
		length, n := binary.Uvarint(texts)
		if n <= 0 || length > uint64(len(texts)-n) {
			err = errDamagedBody
			return nil
		}
		text := texts[n : n+int(length)]
		texts = texts[n+int(length):]
		return text
	}
	for _, text := range f.head() {
		*text = string(next())
	}
	f.Record = next()
	return texts, err
}

func (t *templates) unpackWords(ctx context.Context, from querier, f *Failure, at time.Time, packed []byte) (verdict []byte, err error) {
	var found [2]*template
	for i := range found {
		id, n := binary.Uvarint(packed)
		if n <= 0 {
			return nil, errDamagedBody
		}
		packed = packed[n:]
		if found[i], err = t.load(ctx, from, int64(id)); err != nil {
			return nil, err
		}
	}
	j := joiner{base: at, words: packed}
	rest := found[0].text
	for _, text := range f.head() {
		template, after, ok := strings.Cut(rest, string(rune(templateField)))
		if !ok {
			return nil, errDamagedBody
		}
		one, err := j.join(template)
		if err != nil {
			return nil, err
		}
		*text, rest = string(one), after
	}
	if f.Record, err = j.join(rest); err != nil {
		return nil, err
	}
	return j.join(found[1].text)
}
