"""The assignments: solutions pass, other right solutions too, and typical misconceptions fail the test meant for them.

Cells run in this process here; nbgrader's and otter's own way with them is in test_graders.py.
"""

import ast
import re

import pytest
from assignment_cells import NAMES, Assignment
from assignments import SOLVED

from rnnbow_widget import grading

BY_NUMBER = {name[:2]: name for name in NAMES}

# Of each: the assignment, the cell of the solution, and what in it is replaced by what.
MISCONCEPTIONS = {
    "a step forgets the state before it": ("01", "forward", "@ hidden[j] +", "@ before +"),
    "no bias of the read-out": ("01", "forward", ' + weights["b_o"]', ""),
    "sigmoid in the place of softmax": (
        "01",
        "loss",
        "return exponentials / sums[:, None]",
        "return 1 / (1 + np.exp(-logits))",
    ),
    "large logits overflow": ("01", "loss", "logits - logits.max(axis=1, keepdims=True)", "logits"),
    "the loss in bits": ("01", "loss", "np.log(sums) - shifted", "np.log2(sums) - shifted"),
    "the first loss of one step": ("01", "first_loss", "n * np.log(V)", "np.log(V)"),
    "a lag too few": ("01", "share", ": lag + 1", ":lag"),
    "no slope of tanh where the loss enters": ("02", "entering", " * (1 - hidden[1:] ** 2)", ""),
    "the slope taken of h": ("02", "entering", "1 - hidden[1:] ** 2", "1 - np.tanh(hidden[1:]) ** 2"),
    "no slope of tanh on the way back": ("02", "itemized", " * (1 - hidden[j] ** 2)", ""),
    "W_hh is not transposed": ("02", "itemized", 'weights["W_hh"].T @ delta', 'weights["W_hh"] @ delta'),
    "h_j in the place of h_{j-1}": ("02", "itemized", "np.outer(delta, hidden[j])", "np.outer(delta, hidden[j + 1])"),
    "later losses do not reach back": ("02", "itemized", "range(t, -1, -1)", "range(t, t - 1, -1)"),
    "nothing flows back in the sweep": ("02", "sweep", " + flowing", ""),
    "only the last column of a token counts": ("02", "sweep", '["W_ih"][:, inputs[j]] +=', '["W_ih"][:, inputs[j]] ='),
    "all steps use the first copy": ("02", "untied", "matrix @ state", "copies[0] @ state"),
    "Jacobians in the wrong order": (
        "03",
        "jacobian",
        "product = (1 - hidden[i + 1] ** 2)[:, None] * (W_hh @ product)",
        "product = product @ ((1 - hidden[i + 1] ** 2)[:, None] * W_hh)",
    ),
    "no slopes in the Jacobian": ("03", "jacobian", "(1 - hidden[i + 1] ** 2)[:, None] * ", ""),
    "the radius is the largest singular value": (
        "03",
        "spectrum",
        "float(np.abs(np.linalg.eigvals(W)).max())",
        "float(np.linalg.norm(W, 2))",
    ),
    "the largest real part": (
        "03",
        "spectrum",
        "np.abs(np.linalg.eigvals(W)).max()",
        "np.linalg.eigvals(W).real.max()",
    ),
    "a short gradient is made longer": ("03", "clip", "if size > c else g", "if size else g"),
    "clipping where nothing turns round": ("03", "uphill", "[10.0]", "[1.0]"),
    "the first piece below, before the largest": (
        "04",
        "reach",
        "sent[largest + 1 :] < threshold * sent[largest]",
        "sent < threshold * sent[largest]",
    ),
    "the reach relative to the first piece": ("04", "reach", "threshold * sent[largest]", "threshold * sent[0]"),
    "norms are added, not matrices": (
        "04",
        "residual",
        "np.linalg.norm(kept - whole) / np.linalg.norm(whole)",
        "1 - np.linalg.norm(kept) / np.linalg.norm(whole)",
    ),
    "the first k that is good enough": ("04", "choose", "int(above[-1]) + 1", "int(np.argmax(worst <= tolerance))"),
    "the mean over losses": ("04", "choose", "curves.max(axis=0)", "curves.mean(axis=0)"),
    "lags and steps are mixed up": ("04", "truncate", "terms[j + d, j]", "terms[j, max(0, j - d)]"),
    "the symbol is the second input": (
        "05",
        "sequences",
        "targets[-1] = inputs[0]",
        "targets[-1] = inputs[0]; inputs[[0, 1]] = inputs[[1, 0]]",
    ),
    "a loss at every step": ("05", "sequences", "np.arange(n) == n - 1", "np.arange(n) >= 0"),
    "baseline in bits": ("05", "baselines", "return log(symbols)", "return log(symbols) / log(2)"),
    "the variance of one number": ("05", "baselines", "2 * (1 / 12)", "1 / 12"),
    "copy memory per symbol": ("05", "baselines", " / (lag + 2 * shown)", " / shown"),
    "the mean decides": ("05", "judge", "np.count_nonzero(losses < 0.1 * baseline)", "3 * (losses.mean() < baseline)"),
    "one seed is enough": ("05", "judge", "losses.size < 3", "losses.size < 1"),
    "luck is drawn with one seed over and over": (
        "05",
        "guess",
        "loss = measure(draw(generator))",
        "loss = measure(draw(np.random.default_rng(seed)))",
    ),
    "gates in another order": ("06", "forward", "i, f, o =", "f, i, o ="),
    "h without tanh of c": ("06", "forward", "o * np.tanh(c[j + 1])", "o * c[j + 1]"),
    "an off-by-one in the carousel": ("06", "carousel", "forget[j + 1 : t + 1]", "forget[j:t]"),
    "one gate for all steps": ("06", "carousel", "forget[j + 1 : t + 1].prod(axis=0)", "forget[t] ** (t - j)"),
    "the sign of the bias is lost": ("06", "bias_reach", "-np.log1p(np.exp(-b))", "-np.log1p(np.exp(b))"),
    "at the threshold, not below": ("06", "bias_reach", "np.floor(", "np.ceil(-1 + "),
}

# Of some solutions: which other tests are about what is made of them, and so fail along with their own.
DEPENDENT = {
    ("02", "entering"): {"itemized_test"},
    **{("05", grade_id): {"outcome_test"} for grade_id in ("sequences", "baselines", "judge", "guess")},
    ("06", "bias_reach"): {"measured_test"},
}

ALTERNATIVES = {
    "softmax by subtracting the logarithm of the sum": (
        "01",
        "loss",
        """def softmax_loss(logits, targets):
    log_sums = np.logaddexp.reduce(logits, axis=1)
    p = np.exp(logits - log_sums[:, None])
    return p, np.array([log_sums[j] - logits[j, target] for j, target in enumerate(targets)])
""",
    ),
    "all losses together, lag by lag": (
        "02",
        "itemized",
        """
def itemized_terms(weights, hidden, probabilities, targets):
    n, size = len(targets), hidden.shape[1]
    found = np.zeros((n, n, size, size))
    rows = entering(weights, hidden, probabilities, targets)  # row t: δ_{t, t - lag}
    for lag in range(n):
        steps = np.arange(n - lag)
        found[steps + lag, steps] = rows[:, :, None] * hidden[steps][:, None, :]
        rows = (rows[1:] @ weights["W_hh"]) * (1 - hidden[1 : n - lag] ** 2)
    return found
""",
    ),
    "Jacobians from the left, with diagonal matrices": (
        "03",
        "jacobian",
        """
def jacobian(W_hh, hidden, t, j):
    if t == j:
        return np.eye(len(W_hh))
    return np.diag(1 - hidden[t + 1] ** 2) @ W_hh @ jacobian(W_hh, hidden, t - 1, j)
""",
    ),
    "an uphill sum in two directions": (
        "03",
        "uphill",
        """
def uphill_parts(c):
    return np.array([[50 * c, 0.0], [-3 * c, 0.0], [-4 * c, 1e-3 * c]])
""",
    ),
    "residuals by cumulative sums": (
        "04",
        "residual",
        """
def residuals(terms, t):
    n = len(terms)
    back = terms[t, : t + 1][::-1]
    sums = np.concatenate([np.zeros((1, *back.shape[1:])), np.cumsum(back, axis=0)])
    errors = np.linalg.norm((sums - sums[-1]).reshape(t + 2, -1), axis=1) / np.linalg.norm(sums[-1])
    return np.concatenate([errors, np.zeros(n - t - 1)])
""",
    ),
    "reach in a loop": (
        "04",
        "reach",
        """
def reach(pieces, t, threshold=0.01):
    sent = [pieces[t - d][d] for d in range(t + 1)]
    top = max(sent)
    for d in range(sent.index(top), t + 1):
        if sent[d] < threshold * top:
            return d
    return len(sent)
""",
    ),
    "sequences drawn one by one": (
        "05",
        "sequences",
        """
def recall_sequences(generator, count, distractors, symbols):
    columns, answers = [], []
    for _ in range(count):
        symbol = int(generator.integers(symbols))
        columns.append([symbol, *(symbols + generator.integers(0, 2, distractors)), symbols + 2])
        answers.append(symbol)
    inputs = np.array(columns).T
    targets = np.zeros_like(inputs)
    targets[-1] = answers
    mask = np.zeros(len(inputs), bool)
    mask[-1] = True
    return inputs, targets, mask
""",
    ),
    "an LSTM gate by gate": (
        "06",
        "forward",
        """
def sigmoid(a):
    return 0.5 * (1 + np.tanh(a / 2))
def lstm_forward(weights, inputs):
    H = weights["W_hh"].shape[1]
    hs, cs, fs = [np.zeros(H)], [np.zeros(H)], []
    for token in inputs:
        def block(k):
            rows = slice(k * H, (k + 1) * H)
            return weights["W_ih"][rows, token] + weights["W_hh"][rows] @ hs[-1] + weights["b_h"][rows]
        fs.append(sigmoid(block(1)))
        c = fs[-1] * cs[-1] + sigmoid(block(0)) * np.tanh(block(2))
        h = sigmoid(block(3)) * np.tanh(c)
        cs.append(c)
        hs.append(h)
    return np.array(hs), np.array(cs), np.array(fs)
""",
    ),
    "reach of a bias by counting": (
        "06",
        "bias_reach",
        """
def bias_reach(b, threshold=0.01):
    gate, left, steps = 1 / (1 + np.exp(-b)), 1.0, 0
    while left >= threshold:
        left, steps = left * gate, steps + 1
    return steps
""",
    ),
}


@pytest.fixture(autouse=True)
def graded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training is as long as in a grader."""
    monkeypatch.setenv(grading.VARIABLE, "autograde")
    monkeypatch.setattr("builtins.print", lambda *_: None)


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_passes(name: str) -> None:
    assert Assignment(name).run() == {}


@pytest.mark.parametrize("what", MISCONCEPTIONS)
def test_a_misconception_fails(what: str) -> None:
    number, grade_id, right, wrong = MISCONCEPTIONS[what]
    assignment = Assignment(BY_NUMBER[number])
    source = assignment.source(grade_id)
    assert right in source
    test = f"{grade_id}_test"
    failed = assignment.run({grade_id: source.replace(right, wrong)}, until=test)
    assert failed.keys() == {test}
    assert isinstance(failed[test], AssertionError | FloatingPointError), "what is wrong is a result, not the code"
    assert str(failed[test]), "what is wrong is said"


@pytest.mark.parametrize(
    ("name", "grade_id"), [(name, one) for name in NAMES for one in Assignment(name).ids(solution=True, grade=False)]
)
def test_what_is_not_written_costs_its_own_points_only(name: str, grade_id: str) -> None:
    assignment = Assignment(name)
    unwritten = SOLVED.sub("raise NotImplementedError", assignment.source(grade_id))
    failed = assignment.run({grade_id: unwritten}).keys() & set(assignment.ids(grade=True, locked=True))
    assert failed == {f"{grade_id}_test"} | DEPENDENT.get((name[:2], grade_id), set())


@pytest.mark.parametrize("what", ALTERNATIVES)
def test_another_right_solution_passes(what: str) -> None:
    number, grade_id, code = ALTERNATIVES[what]
    assert Assignment(BY_NUMBER[number]).run({grade_id: code}, until=f"{grade_id}_test") == {}


@pytest.mark.parametrize("name", NAMES)
def test_an_assignment_has_what_a_course_needs(name: str) -> None:
    assignment = Assignment(name)
    solutions = assignment.ids(solution=True, grade=False)
    tests = assignment.ids(grade=True, locked=True)
    written = assignment.ids(solution=True, grade=True)
    assert 2 <= len(solutions) <= 4
    assert len(tests) >= len(solutions)
    assert 1 <= len(written) <= 2
    assert {f"{one}_test" for one in solutions} <= set(tests)
    for one in (*solutions, *written):
        assert "### BEGIN SOLUTION" in assignment.source(one)
    for one in solutions:
        assert "### BEGIN HIDDEN TESTS" in assignment.source(f"{one}_test")
    for one in tests:
        assert "print(" not in assignment.source(one), "otter takes what tests print for a failure"
        silent = [
            ast.unparse(node)
            for node in ast.walk(ast.parse(assignment.source(one)))
            if isinstance(node, ast.Assert) and node.msg is None
        ]
        assert silent == [], "what is wrong is said"
    sources = ["".join(cell["source"]) for cell in assignment.cells]
    assert any("RNNbow.from_arrays(" in source or "RNNbow(trainer" in source for source in sources)
    for cell in assignment.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    training = [source for source in sources if re.search(r"\.train\((?!1\))", source)]
    assert all("capped(" in source or "trained(" in source or "trained_batches" in source for source in training)
