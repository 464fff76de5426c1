"""Static pages: one file each, without scripts, pictures or fonts from elsewhere.

Begin with `page`, which fills a template and escapes whatever comes from outside. `templates/base.html` has the frame
and the style of every page, and `templates/parts.html` its figures and tables. `chart` draws a line as SVG, always with
its values in a table beside it. `metrics_page` is the page about a pipeline. `release_page` is that of one release;
`notes` makes the notes safe for it. The same values give the same bytes.
"""
