"""What the pages say of guesses, in the reader's language. The sentences stand where the guesses are made."""

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from allmende.domain.recognition.model import Words

MEANINGS = {
    "time": _("Time"),
    "id": _("Id"),
    "name": _("Name"),
    "x": _("x, longitude or easting"),
    "y": _("y, latitude or northing"),
    "shape": _("Shape (WKT)"),
    "valid_from": _("Valid from"),
    "valid_to": _("Valid until"),
    "value": _("Readings"),
    "attribute": _("Property"),
    "leave": _("Leave out"),
}
KINDS = {
    "number": _("numbers"),
    "count": _("whole numbers"),
    "time": _("times"),
    "clock": _("times of day"),
    "text": _("text"),
    "truth": _("yes or no"),
    "empty": _("empty"),
}
TYPES = {"measurement": _("Measurement"), "count": _("Count"), "category": _("Words")}
SHAPES = {
    "readings": _("A row for each time, a column for each quantity"),
    "wide": _("A row for each time, a column for each site"),
    "objects": _("A row for each object (tree, car park, stop)"),
}
SURE = ((0.9, _("sure")), (0.6, _("likely")), (0.0, _("a guess")))
CHOICES = {
    "sheet": _("Sheet"),
    "layer": _("Layer"),
    "type_names": _("Kind of objects"),
    "address": _("File or collection"),
}
SENTENCES = (
    gettext_noop("It lists the feeds of a system of shared vehicles."),
    gettext_noop("It is one feed of a system; give the address of gbfs.json, which lists all of them."),
    gettext_noop("It lists the entities of SensorThings."),
    gettext_noop("These are entities of SensorThings: the whole server is mirrored, a filter chooses of it."),
    gettext_noop("These are entities of SensorThings; give the address of the server, which ends in v1.1."),
    gettext_noop("It lists parking sites as ParkAPI does."),
    gettext_noop("It is a feed of roadworks (WZDx)."),
    gettext_noop("It is the front page of an OGC API."),
    gettext_noop("It lists %(count)s collections of OGC API - Features."),
    gettext_noop("It is an entry of a CKAN catalogue with %(count)s files."),
    gettext_noop("%(count)s objects with shapes."),
    gettext_noop("Coordinates are in %(crs)s, as the file says."),
    gettext_noop("Nothing tells every object from the others: it has no id."),
    gettext_noop("Every row has another one."),
    gettext_noop("A property of the object."),
    gettext_noop("It is empty."),
    gettext_noop("A fact of the object."),
    gettext_noop("The file gives every object an id of its own."),
    gettext_noop("KML is not read; GeoJSON or GeoPackage are."),
    gettext_noop("It is a page for people; give the address of the file itself."),
    gettext_noop("The service answered with an error: check the address."),
    gettext_noop("It holds neither parking nor situations, which are what is read."),
    gettext_noop("It tells of car parks in DATEX II."),
    gettext_noop("It tells of roadworks and other situations in DATEX II."),
    gettext_noop("It is a WFS with %(count)s kinds of objects."),
    gettext_noop("It cannot be read: %(error)s"),
    gettext_noop("Old spreadsheets (.xls) and PDF are not read; save it as XLSX or CSV."),
    gettext_noop("It is neither a table nor a document that is known."),
    gettext_noop("It is a timetable (GTFS): stops and routes become objects."),
    gettext_noop("A zip is read where it holds one Shapefile or a timetable (GTFS)."),
    gettext_noop("It holds neither GeoJSON nor a list of objects."),
    gettext_noop("The list of %(count)s objects stands at %(path)s."),
    gettext_noop("The file names no coordinate system; by the numbers it is %(crs)s."),
    gettext_noop("The file has %(count)s layers; choose one."),
    gettext_noop("The first row holds values: there are no names of columns."),
    gettext_noop("Words stand above a table without names: those lines will be rejected."),
    gettext_noop("%(count)s lines stand above the names of the columns."),
    gettext_noop("The row under the names holds units; it will be rejected as a reading."),
    gettext_noop("The header names %(names)s twice: the file has to be mended."),
    gettext_noop("Times with their offset, as in %(example)s."),
    gettext_noop("Seconds since 1970, as in %(example)s."),
    gettext_noop("Milliseconds since 1970, as in %(example)s."),
    gettext_noop("Times of day, as in %(example)s."),
    gettext_noop("Times as in %(example)s; day and month might be the other way round."),
    gettext_noop("Days, as in %(example)s."),
    gettext_noop("Times without an offset, as in %(example)s."),
    gettext_noop("The column's name says UTC."),
    gettext_noop("The column's name says MEZ (CET): the clock of winter all year."),
    gettext_noop("%(example)s does not exist on the city's clock (the hour is left out in spring): taken for UTC."),
    gettext_noop("No offset is written: taken for the clock of %(zone)s."),
    gettext_noop("Decimals have a comma and thousands a sign, as in %(example)s."),
    gettext_noop("Decimals have a comma, as in %(example)s."),
    gettext_noop("%(example)s is taken for a decimal with a comma; it might mean thousands."),
    gettext_noop("Decimals have a point and thousands a sign, as in %(example)s."),
    gettext_noop("Thousands have a sign, as in %(example)s."),
    gettext_noop("%(example)s is taken for a decimal with a point; it might mean thousands."),
    gettext_noop("Numbers are written with a point."),
    gettext_noop("x and y are swapped: only the other way round do they lie near the city (%(crs)s)."),
    gettext_noop("The names say a position (%(crs)s), but it does not lie near the city."),
    gettext_noop("The numbers are positions near the city (%(crs)s)."),
    gettext_noop("Names and numbers fit %(crs)s, and lie near the city."),
    gettext_noop("No column is the time."),
    gettext_noop("No column holds readings."),
    gettext_noop("A wide table says what all of its cells are."),
    gettext_noop("Two columns are the same property: %(names)s."),
    gettext_noop("No column is the id of the object."),
    gettext_noop("A place is two columns, x and y, or one with a shape, not both."),
    gettext_noop("Two columns have the same name."),
    gettext_noop("A place is two columns, x and y; one of them is missing."),
    gettext_noop("%(unit)s is no unit that is known here; UCUM writes them as kPa, Cel, km/h, %%, ug/m3."),
    gettext_noop("Two columns are meant to be the same: %(names)s."),
    gettext_noop("No column is the time of a reading: every row is an object."),
    gettext_noop("Every row has an id and a place of its own: every row is an object."),
    gettext_noop("Each of %(count)s columns of numbers seems to be a site of its own."),
    gettext_noop("Every row is a reading at a time."),
    gettext_noop("A row under the names says it."),
    gettext_noop("Usual for %(quantity)s."),
    gettext_noop("The name says what is measured."),
    gettext_noop("With the time it tells every row from the others."),
    gettext_noop("The name says so."),
    gettext_noop("Shapes as text (WKT)."),
    gettext_noop("Words that change with the time."),
    gettext_noop("Numbers; the name is known."),
    gettext_noop("Numbers."),
    gettext_noop("It tells of the quality of another column."),
    gettext_noop("Nothing of it is a reading."),
    gettext_noop("No column tells every row from the others; choose one as the id, or add one to the file."),
    gettext_noop("%(count)s rows have the same time and thing as another: of each time only one value is kept."),
    gettext_noop("The name says %(written)s."),
    gettext_noop("The name ends in %(written)s."),
)
"""Every sentence of the recognition, so that the catalogue of texts has them; a test holds both together."""


def say(words: Words) -> str:
    """A sentence in the reader's language, with its figures."""
    if not words.text:
        return ""
    text = gettext(words.text)
    return text % words.values if words.values else text


def sure(confidence: float) -> str:
    """A confidence as a word."""
    return str(next(word for least, word in SURE if confidence >= least))
