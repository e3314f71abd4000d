package webtest

import (
	"bytes"
	"mime/multipart"
	"net/url"
)

// Upload posts a form with a file in the field of that name.
func (b Browser) Upload(path string, form url.Values, field string, file []byte) Answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	write := func(err error) {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	for name, all := range form {
		for _, one := range all {
			write(w.WriteField(name, one))
		}
	}
	part, err := w.CreateFormFile(field, "file.txt")
	write(err)
	_, err = part.Write(file)
	write(err)
	write(w.Close())
	return b.answer(b.client.Post(b.url+path, w.FormDataContentType(), &body))
}
