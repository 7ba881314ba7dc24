package ingest

import (
	"hash/crc32"

	"authwatch/store"
)

// deliveries names the records of a batch, so that those which were delivered before are known.
func (b *batch) deliveries() []store.Delivery {
	list := make([]store.Delivery, len(b.records))
	for n := range b.records {
		d := &b.records[n]
		list[n] = store.Delivery{Source: b.source, Key: d.key, Time: d.at, Content: d.content()}
		list[n].Prepare()
	}
	return list
}

// content is a sum of what a record with an id says, by which a shipper that gives one id twice is noticed. Of accepted exchanges
// little is read, so that they are all alike; a record without an id is what it says.
func (d *decoded) content() uint16 {
	switch {
	case d.late != nil || isContentKey(d.key):
		return 0
	case d.record == nil || d.record.Response != nil && d.record.Response.Status/100 == 2:
		return 1
	}
	return uint16(crc32.ChecksumIEEE(d.stored)>>16) | 2
}

// altered counts the repeated records that say something else than the first.
func (w *work) altered() (n int) {
	for i := range w.deliveries {
		if w.deliveries[i].Altered {
			n++
		}
	}
	return n
}
