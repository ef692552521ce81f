"""One module a layout. Revisions are numbered, because people compare them."""
