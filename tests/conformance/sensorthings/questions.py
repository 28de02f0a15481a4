"""Generated questions in the words of the address, right ones for the most part, for tests that compare engines.

Each strategy gives text. Types are kept to, so that most questions are answered; now and then they are not, so that
refusals are compared too.
"""

from functools import cache

from hypothesis import strategies as st

Texts = st.SearchStrategy[str]

NAMES = [
    "", "a", "A", "b", "ß", "SS", "ss", "Straße", "İ", "i", "ı", "Σ", "σ", "ς", "é", "e\u0301", "ﬁ", "ǅ", "😀",
    "\uffff", "z'z", "%", "_", " a ", "\ta", "\u00a0a", "1", "01", "1e3", "a\u200db", "Ω", "中", "𝒳", "ÿ", "null",
    "true",
]  # fmt: skip
NUMBERS = [
    "0", "1", "-1", "2", "7", "0.1", "0.5", "-1.5", "2.5", "1e2", "1e16", "9007199254740992", "9007199254740993",
    "9223372036854775807", "-9223372036854775808", "1e300", "-1e300", "1e-300", "1e308", "5e-324",
    "0.30000000000000004",
]  # fmt: skip
MOMENTS = [
    "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000001Z", "2024-01-01T00:30:00.5Z", "2024-02-29",
    "2024-03-31T01:00:00Z",
    "2024-10-27T02:30:00+02:00", "1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
    "now()", "mindatetime()", "maxdatetime()",
]  # fmt: skip
SPANS = ["2024-01-01T00:00:00Z/2024-01-02T00:00:00Z", "2024-01-01T00:10:00Z/2024-01-01T00:10:00Z"]
DURATIONS = ["PT0S", "PT1S", "PT0.000001S", "-PT1H", "P1D", "P4W", "P3650000D"]

FREE = {
    "Things": ["properties/a", "properties/list[0]", "properties/list[1]/b", "properties/n", "properties/a/k"],
    "Datastreams": ["properties/a", "Thing/properties/a", "unitOfMeasurement/symbol", "Thing/properties/n"],
    "Observations": [
        "result", "parameters/a", "result/k", "result[0]", "Datastream/Thing/properties/a", "resultQuality/a",
        "Datastream/Thing/properties/list[0]",
    ],
}  # fmt: skip
MANY = {
    "Things": ["Datastreams/properties/a", "Datastreams/Observations/result", "Datastreams/name", "Locations/name"],
    "Datastreams": ["Observations/result", "Thing/Datastreams/name", "Observations/parameters/a"],
    "Observations": ["Datastream/Thing/Locations/name", "Datastream/Observations/result"],
}
TEXT_PATHS = {
    "Things": ["name", "id", "description"],
    "Datastreams": ["name", "id", "Thing/name", "Sensor/name", "ObservedProperty/definition"],
    "Observations": ["Datastream/name", "Datastream/Thing/name", "Datastream/id"],
}
TIME_PATHS = {
    "Things": ["Datastreams/Observations/phenomenonTime", "HistoricalLocations/time"],
    "Datastreams": ["phenomenonTime", "resultTime", "Observations/resultTime"],
    "Observations": ["phenomenonTime", "resultTime", "validTime", "Datastream/phenomenonTime"],
}
LISTS = {
    "Things": ["properties/list", "properties/a"],
    "Datastreams": ["Thing/properties/list", "properties/a"],
    "Observations": ["result", "parameters/a", "Datastream/Thing/properties/list"],
}
SELECT = {
    "Things": ["name", "id", "name,properties"],
    "Datastreams": ["id,phenomenonTime", "name,observedArea,resultTime", "unitOfMeasurement"],
    "Observations": ["result", "id,phenomenonTime,resultTime", "result,resultQuality,validTime,parameters"],
}
EXPAND = {
    "Things": ["Datastreams", "Locations", "HistoricalLocations($expand=Locations)"],
    "Datastreams": ["Thing", "Sensor,ObservedProperty", "Thing($select=name)"],
    "Observations": ["Datastream", "FeatureOfInterest", "Datastream/Thing"],
}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def one_of(*choices: str) -> Texts:
    return st.sampled_from(choices)


def _calls(template: str, *arguments: Texts) -> Texts:
    return st.tuples(*arguments).map(lambda found: template.format(*found))


@cache
def texts(entity: str, depth: int = 2) -> Texts:
    plain = st.one_of(
        st.sampled_from(NAMES).map(quoted), one_of(*TEXT_PATHS[entity]), one_of(*FREE[entity]), one_of(*MANY[entity])
    )
    if not depth:
        return plain
    inner, places = texts(entity, depth - 1), one_of("0", "1", "2", "-1", "1.5", "1e30")
    return st.one_of(
        plain,
        _calls("{}({})", one_of("tolower", "toupper", "trim"), inner),
        _calls("concat({},{})", inner, inner),
        _calls("substring({},{})", inner, places),
        _calls("substring({},{},{})", inner, places, places),
    )


@cache
def numbers(entity: str, depth: int = 2) -> Texts:
    plain = st.one_of(st.sampled_from(NUMBERS), one_of(*FREE[entity]))
    if not depth:
        return plain
    inner = numbers(entity, depth - 1)
    parts = one_of("year", "month", "day", "hour", "minute", "second", "fractionalseconds", "totaloffsetminutes")
    return st.one_of(
        plain,
        _calls("({} {} {})", inner, one_of("add", "sub", "mul", "div", "mod"), inner),
        _calls("{}({})", one_of("round", "floor", "ceiling"), inner),
        _calls("-({})", inner),
        _calls("length({})", texts(entity, 1)),
        _calls("indexof({},{})", texts(entity, 1), texts(entity, 1)),
        _calls("{}({})", parts, times(entity, 1)),
    )


@cache
def durations(entity: str) -> Texts:
    plain = st.sampled_from(DURATIONS).map(lambda d: f"duration'{d}'")
    return st.one_of(
        plain,
        _calls("({} {} {})", plain, one_of("add", "sub"), plain),
        _calls("({} {} {})", plain, one_of("mul", "div"), numbers(entity, 0)),
        _calls("({} sub {})", one_of(*TIME_PATHS[entity]), st.sampled_from(MOMENTS)),
    )


@cache
def times(entity: str, depth: int = 2) -> Texts:
    plain = st.one_of(st.sampled_from([*MOMENTS, *SPANS]), one_of(*TIME_PATHS[entity]))
    if not depth:
        return plain
    inner = times(entity, depth - 1)
    widths = one_of("PT1H", "P1D", "P1M", "P1Y", "PT15M", "P7D").map(lambda d: f"duration'{d}'")
    return st.one_of(
        plain,
        _calls("({} {} {})", inner, one_of("add", "sub"), durations(entity) if depth > 1 else widths.filter(_fixed)),
        _calls("date({})", inner),
        _calls("bucket({},{},{})", inner, widths, one_of("'Europe/Berlin'", "'UTC'", "'Asia/Kathmandu'")),
    )


def _fixed(width: str) -> bool:
    return "M'" not in width.replace("15M", "") and "Y" not in width


@cache
def conditions(entity: str, depth: int = 2) -> Texts:
    compared = one_of("eq", "ne", "gt", "ge", "lt", "le")
    spans = one_of("before", "after", "meets", "during", "overlaps", "starts", "finishes")
    items = st.lists(st.one_of(numbers(entity, 0), texts(entity, 0)), min_size=1, max_size=3).map(",".join)
    anything = one_of("x", "x/k", "x/b", "x[0]", "length(x)", "1", "'b'", "true")
    plain = st.one_of(
        _calls("{} {} {}", numbers(entity), compared, numbers(entity)),
        _calls("{} {} {}", texts(entity), compared, texts(entity)),
        _calls("{} {} {}", times(entity), compared, times(entity)),
        _calls("{} {} {}", durations(entity), compared, durations(entity)),
        _calls("{} {} {}", one_of(*FREE[entity], *MANY[entity]), compared, one_of(*FREE[entity], *MANY[entity])),
        _calls("{} {} null", one_of(*FREE[entity], *TIME_PATHS[entity], *MANY[entity]), one_of("eq", "ne")),
        _calls("{} {} {}", one_of(*FREE[entity]), one_of("eq", "ne"), one_of("true", "false")),
        _calls("time({}) {} {}", times(entity, 1), compared, one_of("10:30:00", "00:00", "23:59:59.999999")),
        _calls("{}({},{})", one_of("contains", "substringof", "startswith", "endswith"), texts(entity), texts(entity)),
        _calls("{}({},{})", spans, times(entity), times(entity)),
        _calls("{} in ({})", st.one_of(numbers(entity, 0), texts(entity, 0)), items),
        _calls("{} in {}", st.one_of(numbers(entity, 0), texts(entity, 0)), one_of(*LISTS[entity])),
        _calls("{}/any(x: {} {} {})", one_of(*LISTS[entity]), anything, compared, anything),
        one_of(*FREE[entity]),
    )
    if not depth:
        return plain
    inner = conditions(entity, depth - 1)
    return st.one_of(
        plain, plain, plain,
        _calls("not ({})", inner),
        _calls("({}) {} ({})", inner, one_of("and", "or"), inner),
    )  # fmt: skip


@cache
def orders(entity: str) -> Texts:
    """Over to-one paths alone, and what is calculated of them."""
    paths = [p for p in (*FREE[entity], *TEXT_PATHS[entity], *TIME_PATHS[entity]) if p.split("/")[0] not in _TO_MANY]
    calculated = st.one_of(numbers(entity, 1), texts(entity, 1)).filter(
        lambda text: text[:1].isalpha() and "(" in text and not any(many in text for many in _TO_MANY)
    )
    keys = _calls("{}{}", st.one_of(one_of(*paths), calculated), one_of("", " asc", " desc"))
    return st.lists(keys, min_size=1, max_size=2).map(",".join)


_TO_MANY = ("Datastreams", "Observations", "Locations", "HistoricalLocations", "Things")


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A set and its options."""
    entity = draw(one_of("Things", "Datastreams", "Observations", "Observations"))
    options: dict[str, str] = {}
    if draw(st.integers(0, 5)):
        options["filter"] = draw(conditions(entity))
    if draw(st.booleans()):
        options["orderby"] = draw(orders(entity))
    if draw(st.booleans()):
        options["top"] = draw(one_of("0", "1", "3", "7"))
    if draw(st.integers(0, 3)) == 0:
        options["skip"] = draw(one_of("0", "2", "5"))
    if draw(st.booleans()):
        options["count"] = "true"
    if draw(st.integers(0, 3)) == 0:
        options["select"] = draw(one_of(*SELECT[entity]))
    if draw(st.integers(0, 2)) == 0:
        options["expand"] = draw(st.one_of(one_of(*EXPAND[entity]), inner_expansions(entity)))
    return entity, options


@cache
def inner_expansions(entity: str) -> Texts:
    """An expansion with options of its own."""
    relation, child = {
        "Things": ("Datastreams", "Datastreams"),
        "Datastreams": ("Observations", "Observations"),
        "Observations": ("Datastream", "Datastreams"),
    }[entity]
    if relation == "Datastream":
        return st.just("Datastream($expand=Observations($top=2;$orderby=phenomenonTime desc))")
    return st.one_of(
        _calls(relation + "($filter={};$top={};$count=true)", conditions(child, 0), one_of("1", "2", "5")),
        _calls(relation + "($orderby={};$top={})", orders(child), one_of("1", "2")),
        st.just("Observations($orderby=phenomenonTime desc;$top=1)" if child == "Observations" else "Datastreams"),
    )


@cache
def _groups_and_measures(entity: str) -> tuple[Texts, Texts]:
    free = [path for path in FREE[entity] if not path.startswith(_TO_MANY)]
    named = [p for p in (*TEXT_PATHS[entity], *free, *TIME_PATHS[entity]) if not p.startswith(_TO_MANY)]
    groups = st.one_of(
        one_of(*named).map(lambda path: f"{path} as g"),
        _calls("bucket({},duration'{}','{}') as g", one_of(*_TIMES[entity]), one_of("PT1H", "P1D", "P1M"),
               one_of("UTC", "Europe/Berlin")),
        _calls("{} as g", numbers(entity, 1).filter(lambda text: not any(many in text for many in _TO_MANY))),
    )  # fmt: skip
    sums = one_of("sum", "average", "min", "max", "countdistinct", "allmende.count", "allmende.percentile37_5")
    measures = st.one_of(
        _calls("{} with {}", one_of(*free), sums),
        _calls("{} with {}", one_of(*named), one_of("countdistinct")),
        _calls("{} with {}", one_of(*_TIMES[entity], *TEXT_PATHS[entity][:1]), one_of("min", "max")),
    )
    return groups, measures


@st.composite
def aggregations(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A set and an ``$apply`` with what stands beside it."""
    entity = draw(one_of("Observations", "Observations", "Datastreams", "Things"))
    groups, measures = _groups_and_measures(entity)
    listed = draw(st.lists(measures, min_size=1, max_size=3))
    summed = ",".join(["$count as n", *(f"{measure} as m{number}" for number, measure in enumerate(listed))])
    apply = draw(
        st.one_of(groups.map(lambda g: f"groupby(({g}),aggregate({summed}))"), st.just(f"aggregate({summed})"))
    )
    options = {"apply": apply}
    if draw(st.booleans()):
        options["apply"] = f"filter({draw(conditions(entity, 0))})/{apply}"
    if "groupby" in apply:
        if draw(st.booleans()):
            options["orderby"] = draw(one_of("n desc", "g desc", "g,n", "m0 desc", "n"))
        if draw(st.booleans()):
            options["filter"] = draw(one_of("n gt 1", "n mod 2 eq 1 and m0 ne null", "g ne null or n gt 3"))
        if draw(st.booleans()):
            options["top"] = draw(one_of("1", "3"))
    if draw(st.booleans()):
        options["count"] = "true"
    return entity, options


_TIMES = {
    "Things": ["2024-01-01"],
    "Datastreams": ["phenomenonTime", "resultTime"],
    "Observations": ["phenomenonTime", "resultTime", "validTime"],
}
