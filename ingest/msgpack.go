package ingest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// isMsgpack knows Fluent Bit's msgpack by the array of two that each event is: JSON cannot begin with this byte.
func isMsgpack(body []byte) bool { return len(body) > 0 && body[0] == 0x92 }

// msgpackParts reads concatenated events of Fluent Bit, [[time, {metadata}], map], or [time, map] of older versions.
// What follows a cut event cannot be found, as nothing marks where one begins; one that passes a limit costs itself.
func msgpackParts(body []byte, most int) ([]part, error) {
	var parts []part
	for len(body) > 0 {
		if len(parts) == most {
			return nil, tooManyRecords(most)
		}
		before := len(body)
		m := &msgpackReader{rest: body}
		event := m.event()
		if m.fault == nil && before-len(m.rest) > maxRecord {
			event = part{fault: recordTooLarge()}
		}
		if m.fault != nil {
			event = part{fault: m.fault}
			rest, err := msgp.Skip(body)
			if err != nil || m.fault.code == "cut_off" {
				return append(parts, event), nil
			}
			m.rest = rest
		}
		parts = append(parts, event)
		body = m.rest
	}
	return parts, nil
}

// A msgpackReader reads one event into what JSON would have held; the first fault stays.
type msgpackReader struct {
	rest  []byte
	fault *fault
}

func (m *msgpackReader) failed(err error) bool {
	if err != nil && m.fault == nil {
		m.fault = &fault{code: "cut_off", detail: "the msgpack event ends early or is none of Fluent Bit's"}
	}
	return m.fault != nil
}

var errNoEvent = errors.New("no event")

func (m *msgpackReader) array(size uint32) bool {
	n, rest, err := msgp.ReadArrayHeaderBytes(m.rest)
	if err == nil && n != size {
		err = errNoEvent
	}
	m.rest = rest
	return !m.failed(err)
}

func (m *msgpackReader) event() part {
	if !m.array(2) {
		return part{}
	}
	var at any
	if msgp.NextType(m.rest) == msgp.ArrayType {
		if m.array(2) {
			at = m.value(1)
			m.value(1) // metadata
		}
	} else {
		at = m.value(1)
	}
	members, ok := m.value(1).(map[string]any)
	if !ok {
		m.failed(errNoEvent)
		return part{}
	}
	if text, ok := at.(string); ok {
		setDefault(members, "time", text)
	} else if text, ok := epoch(at, time.Second); ok {
		setDefault(members, "time", text)
	}
	return part{members: members}
}

// value reads one value. An extension is a time if it is Fluent Bit's EventTime (type 0: seconds and nanoseconds), else nothing.
func (m *msgpackReader) value(depth int) any {
	if depth > maxDepth && m.fault == nil {
		m.fault = tooDeep()
	}
	if m.fault != nil {
		return nil
	}
	var v any
	var err error
	switch msgp.NextType(m.rest) {
	case msgp.MapType:
		return m.object(depth)
	case msgp.ArrayType:
		return m.list(depth)
	case msgp.StrType:
		var text []byte
		text, m.rest, err = msgp.ReadStringZC(m.rest)
		v = cleanText(string(text))
	case msgp.BinType:
		var data []byte
		data, m.rest, err = msgp.ReadBytesZC(m.rest)
		v = cleanText(string(data))
	case msgp.BoolType:
		v, m.rest, err = msgp.ReadBoolBytes(m.rest)
	case msgp.IntType:
		var n int64
		n, m.rest, err = msgp.ReadInt64Bytes(m.rest)
		v = json.Number(strconv.FormatInt(n, 10))
	case msgp.UintType:
		var n uint64
		n, m.rest, err = msgp.ReadUint64Bytes(m.rest)
		v = json.Number(strconv.FormatUint(n, 10))
	case msgp.Float64Type, msgp.Float32Type:
		var f float64
		f, m.rest, err = msgp.ReadFloat64Bytes(m.rest)
		v = doubleNumber(f)
	case msgp.NilType:
		m.rest, err = msgp.ReadNilBytes(m.rest)
	default:
		v, err = m.extension()
	}
	if m.failed(err) {
		return nil
	}
	return v
}

func (m *msgpackReader) extension() (any, error) {
	extension := m.rest
	rest, err := msgp.Skip(extension)
	if m.rest = rest; err != nil {
		return nil, err
	}
	if len(extension)-len(rest) != 10 || extension[0] != 0xd7 || extension[1] != 0 {
		return nil, nil
	}
	seconds, nanos := binary.BigEndian.Uint32(extension[2:]), binary.BigEndian.Uint32(extension[6:])
	return eventTimeOf(time.Unix(int64(seconds), int64(nanos))), nil
}

func (m *msgpackReader) object(depth int) any {
	size, rest, err := msgp.ReadMapHeaderBytes(m.rest)
	if m.rest = rest; m.failed(err) {
		return nil
	}
	if size > maxMembers {
		m.fault = &fault{code: "too_many_members", detail: "an object of the record has more than " + strconv.Itoa(maxMembers) + " members"}
		return nil
	}
	out := map[string]any{}
	for range size {
		name := scalarText(m.value(depth + 1))
		v := m.value(depth + 1)
		if m.fault != nil {
			return nil
		}
		if _, twice := out[name]; !twice {
			out[name] = v
		}
	}
	return out
}

func (m *msgpackReader) list(depth int) any {
	size, rest, err := msgp.ReadArrayHeaderBytes(m.rest)
	if m.rest = rest; m.failed(err) {
		return nil
	}
	out := []any{}
	for range size {
		v := m.value(depth + 1)
		if m.fault != nil {
			return nil
		}
		out = append(out, v)
	}
	return out
}
