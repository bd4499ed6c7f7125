"""The main job behind ``fastloss demo``: linear models on real flights, fastloss against NumPy."""
