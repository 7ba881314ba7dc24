package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"authwatch/bundle"
	"authwatch/classify"

	"github.com/labstack/echo/v4"
)

// classifyJSON is the answer of POST /api/v1/classify: one verdict for each auth failure, in the order of the records.
type classifyJSON struct {
	Data   []classify.Verdict `json:"data"`
	Errors []fault            `json:"errors,omitempty"` // records that could not be read
}

// classifyRecords judges records as the command of that name does: history is what came earlier in the same body, and
// nothing is stored. With Accept: application/x-ndjson it answers one verdict a line; the header Authwatch-Rejected then
// counts the records that could not be read.
func (s *Server) classifyRecords(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if bundle.IsBundle(body) {
		return s.classifyBundle(c, body)
	}
	records, problems := s.Decode(body)
	faults := convert(problems, func(p Problem) fault {
		return fault{Index: &p.Index, Pointer: p.Pointer, Code: p.Code, Detail: p.Detail}
	})
	if len(records) == 0 {
		return fail(http.StatusUnprocessableEntity, "The body has no readable record; send native records as one JSON object, an array or NDJSON.", faults...)
	}
	verdicts := s.judge(records)
	if strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "ndjson") {
		return sendVerdictLines(c, verdicts, len(faults))
	}
	return sendJSON(c, http.StatusOK, classifyJSON{Data: verdicts, Errors: faults})
}

// classifyBundle judges the cases of a support bundle by what it holds.
func (s *Server) classifyBundle(c echo.Context, body []byte) error {
	b, err := bundle.Read(body, s.decodeOne)
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "This is no readable support bundle of the format "+bundle.Format+".")
	}
	verdicts := b.Verdicts(s.Knowledge)
	if strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "ndjson") {
		return sendVerdictLines(c, verdicts, 0)
	}
	return sendJSON(c, http.StatusOK, classifyJSON{Data: verdicts})
}

// decodeOne reads and redacts one record.
func (s *Server) decodeOne(text []byte) (classify.Record, error) {
	records, problems := s.Decode(text)
	if len(records) != 1 || len(problems) > 0 {
		return classify.Record{}, errors.New("not one readable record")
	}
	return records[0], nil
}

func (s *Server) judge(records []classify.Record) []classify.Verdict {
	verdicts, history := []classify.Verdict{}, classify.History{}
	for i := range records {
		exchange := s.classifier.Locate(&records[i])
		if exchange.Outcome == classify.Failed {
			verdicts = append(verdicts, classify.Classify(exchange, history))
		}
		history.Observe(exchange.Facts())
	}
	return verdicts
}

func sendVerdictLines(c echo.Context, verdicts []classify.Verdict, rejected int) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, v := range verdicts {
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("encode verdict: %w", err)
		}
	}
	c.Response().Header().Set("Authwatch-Rejected", strconv.Itoa(rejected))
	return c.Blob(http.StatusOK, "application/x-ndjson", lines.Bytes())
}
