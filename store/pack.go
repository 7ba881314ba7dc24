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
	p := t.packers.Get().(*packer)
	defer t.packers.Put(p)
	if p.gather(f); !isPlainText(p.cutter.text) {
		f.clean()
		p.gather(f)
	}
	occurred, received := toMillis(f.Verdict.Time), toMillis(f.ReceivedAt)
	p.body = binary.AppendVarint(append(p.body[:0], packedWords), occurred-idAt(occurred).millis())
	p.body = binary.AppendVarint(p.body, received-occurred)
	packed, err := false, error(nil)
	if f.Verdict.Time.Sub(f.ReceivedAt) <= packedAhead {
		packed, err = t.packWords(p, f, dayOf(now))
	}
	if err == nil && !packed {
		err = p.packWhole(f)
	}
	if err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	f.body = p.keepBody()
	return nil
}

// clean repairs texts as they are kept.
func (f *Failure) clean() {
	for _, text := range f.head() {
		*text = cleanText(*text)
	}
	if !utf8.Valid(f.Record) {
		f.Record = bytes.ToValidUTF8(f.Record, []byte("\uFFFD"))
	}
}

// isPlainText reports whether a text is, as nearly all are, ASCII without NUL.
func isPlainText(text []byte) bool {
	var all uint64
	rest := text
	for ; len(rest) >= 32; rest = rest[32:] {
		le := binary.LittleEndian
		all |= le.Uint64(rest) | le.Uint64(rest[8:]) | le.Uint64(rest[16:]) | le.Uint64(rest[24:])
	}
	for _, b := range rest {
		all |= uint64(b)
	}
	return all&0x8080808080808080 == 0 && bytes.IndexByte(text, 0) < 0
}

// A packer holds what packing a failure needs, and what it knows of those before.
type packer struct {
	cutter   *cutter
	verdicts verdictWriter
	parts    *verdictParts

	body, verdict, template, words []byte // room for one
	bodies                         []byte // memory that failures share for theirs
}

// bodiesAtOnce is how many bytes of bodies lie together.
const bodiesAtOnce = 16 << 10

func newPacker() *packer { return &packer{cutter: newCutter(), parts: newVerdictParts()} }

// gather puts the texts of f but the verdict before the cutter, as one.
func (p *packer) gather(f *Failure) {
	c := p.cutter
	c.reset(f.Verdict.Time)
	for _, text := range f.head() {
		c.text = append(append(c.text, *text...), templateField)
	}
	c.text = append(c.text, f.Record...)
}

// keepBody is a copy of the body.
func (p *packer) keepBody() []byte {
	if cap(p.bodies)-len(p.bodies) < len(p.body) {
		p.bodies = make([]byte, 0, max(bodiesAtOnce, len(p.body)))
	}
	begin := len(p.bodies)
	p.bodies = append(p.bodies, p.body...)
	return p.bodies[begin:len(p.bodies):len(p.bodies)]
}

// packWords appends the texts of f, which were gathered, by templates. It reports false when there are none yet, or no text can have one.
func (t *templates) packWords(p *packer, f *Failure, today int64) (packed bool, err error) {
	c := p.cutter
	if bytes.IndexByte(c.text, templateMark) >= 0 || bytes.Count(c.text, []byte{templateField}) > headTexts {
		return false, nil
	}
	c.takeApart(0)
	record := t.find(c.template, today)
	verdict, err := t.packVerdict(p, &f.Verdict, today)
	if err != nil || record == nil || verdict == nil {
		return false, err
	}
	p.body = binary.AppendUvarint(binary.AppendUvarint(p.body, uint64(record.id)), uint64(verdict.id))
	p.body = append(p.body, c.words...)
	return true, nil
}

// packVerdict adds the words of a verdict to the cutter's, and returns its template. Only one that nothing came before in brief is written whole for it.
func (t *templates) packVerdict(p *packer, v *classify.Verdict, today int64) (one *template, err error) {
	c, begin := p.cutter, len(p.cutter.text)
	p.parts.makeRoom()
	if c.text, err = p.verdicts.write(c.text, v, p.parts); err != nil {
		return nil, err
	}
	c.template = c.template[:0]
	c.takeApart(begin)
	if one = p.parts.form(c.template, today); one != nil {
		return one, nil
	}
	if p.verdict, err = p.verdicts.write(p.verdict[:0], v, nil); err != nil {
		return nil, err
	}
	p.template, p.words = c.outline(p.verdict, p.template[:0], p.words[:0])
	if one = t.find(p.template, today); one != nil {
		p.parts.keepForm(c.template, one)
	}
	return one, nil
}

func (p *packer) packWhole(f *Failure) (err error) {
	if p.verdict, err = p.verdicts.write(p.verdict[:0], &f.Verdict, nil); err != nil {
		return err
	}
	texts := make([]byte, 0, len(f.Record)+len(p.verdict)+256)
	for _, text := range f.head() {
		texts = append(binary.AppendUvarint(texts, uint64(len(*text))), *text...)
	}
	texts = append(binary.AppendUvarint(texts, uint64(len(f.Record))), f.Record...)
	p.body[0] = packedWhole
	p.body = append(p.body, s2.Encode(nil, append(texts, p.verdict...))...)
	return nil
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
	var found [2]string
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
	rest := found[0]
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
	return j.join(found[1])
}
