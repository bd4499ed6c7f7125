"""Names of features are different, whatever the columns are called."""

import joblib
import numpy as np
import pandas as pd
from helpers.tables import train, write_csv

N = 120
rng = np.random.default_rng(0)
U = rng.random(N) < 0.5


def test_a_column_called_as_a_level(tmp_path):
    gaps = [None if i % 9 == 0 else i % 7 for i in range(N)]
    columns = {
        "b=u": rng.normal(size=N).tolist(),
        "b": np.where(U, "u", "v").tolist(),
        "b=u (2)": rng.normal(size=N).tolist(),
        "gap": gaps,
        "missingindicator_gap": rng.normal(size=N).tolist(),
        "a": np.where(U[::-1], "b=c", "d").tolist(),
        "a=b": np.where(U, "c", "e").tolist(),
        "y": (3.0 * U + rng.normal(size=N)).tolist(),
    }
    path, _ = train(tmp_path, write_csv(tmp_path / "d.csv", columns), "--target", "y")
    model = joblib.load(path)
    names = model[0].get_feature_names_out().tolist()
    assert names == [
        "b=u",
        "b=u (2)",
        "gap",
        "missingindicator_gap",
        "missingindicator_gap (2)",
        "b=u (3)",
        "b=v",
        "a=b=c",
        "a=d",
        "a=b=c (2)",
        "a=b=e",
    ]
    assert len(names) == len(model[-1].coef_)
    frame = pd.DataFrame(columns)
    row = model[0].transform(frame)
    row = row.toarray() if hasattr(row, "toarray") else row
    np.testing.assert_array_equal(row[:, names.index("b=u (3)")], U)
    np.testing.assert_array_equal(row[:, names.index("a=b=c")], U[::-1])
    np.testing.assert_array_equal(row[:, names.index("a=b=c (2)")], U)
