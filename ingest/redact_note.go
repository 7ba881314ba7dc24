package ingest

// Note redacts what a person or a pipeline wrote: a title, a note, an address. It is "" when it cannot be made safe.
func (r *Redactor) Note(text string) string {
	w := walk{Redactor: r}
	clean := w.text(text)
	return w.shapes(clean)
}
